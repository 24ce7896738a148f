package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// draftDoc is one agent's unsent text, sealed under the draft key of the conversation.
type draftDoc struct {
	Text  crypt.Sealed `json:"text"`
	Saved time.Time    `json:"saved"`
}

// MaxDraft bounds a draft, in bytes.
const MaxDraft = 400_000

func draftID(agent, conversation, kind string) (string, error) {
	if kind != "reply" && kind != "note" {
		return "", connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("kind: %q is not allowed: reply or note", kind))
	}
	if conversation == "" || len(conversation) > 64 {
		return "", connect.NewError(connect.CodeInvalidArgument, errors.New("conversation_id: required, at most 64 characters"))
	}
	return agent + "/" + conversation + "/" + kind, nil
}

func (r rpc) GetDraft(ctx context.Context, req *consolev1.GetDraftRequest) (*consolev1.GetDraftResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	id, err := draftID(who.ID, req.GetConversationId(), req.GetKind())
	if err != nil {
		return nil, err
	}
	d, err := r.draft(ctx, id, req.GetConversationId(), req.GetKind())
	return &consolev1.GetDraftResponse{Draft: d}, r.coded(ctx, err)
}

// draft reads a draft; one that was never saved is empty at revision 0.
func (r rpc) draft(ctx context.Context, id, conversation, kind string) (*consolev1.Draft, error) {
	out := &consolev1.Draft{ConversationId: conversation, Kind: kind}
	d, err := r.deps.State.Get(ctx, "drafts", id)
	if errors.Is(err, docstore.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	var doc draftDoc
	if err := json.Unmarshal(d.JSON, &doc); err != nil {
		return nil, err
	}
	out.Revision, out.SavedAt = int64(d.Seq), timestamppb.New(doc.Saved)
	if len(doc.Text.Box) == 0 {
		return out, nil
	}
	plain, err := r.deps.Keys.Open(ctx, doc.Text, []byte(id))
	if errors.Is(err, crypt.ErrShredded) {
		return out, nil
	}
	out.Text = string(plain)
	return out, err
}

// SaveDraft: the revision only grows, so of two tabs the later one wins and an
// older save that was late changes nothing; the answer tells which stands.
func (r rpc) SaveDraft(ctx context.Context, req *consolev1.SaveDraftRequest) (*consolev1.SaveDraftResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	in := req.GetDraft()
	id, err := draftID(who.ID, in.GetConversationId(), in.GetKind())
	if err != nil {
		return nil, err
	}
	if len(in.GetText()) > MaxDraft {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("text: %d bytes, allowed are %d", len(in.GetText()), MaxDraft))
	}
	if in.GetRevision() < 1 {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("revision: must be at least 1 and grow"))
	}
	doc := draftDoc{Saved: r.deps.Now().UTC()}
	if in.GetText() != "" {
		// An emptied draft keeps its revision, so a late older save cannot bring it back.
		if doc.Text, err = r.deps.Keys.Seal(ctx, "draft/"+in.GetConversationId(), []byte(in.GetText()), []byte(id)); err != nil {
			return nil, r.coded(ctx, err)
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	op := docstore.Op{Collection: "drafts", Doc: docstore.Doc{ID: id, Seq: uint64(in.GetRevision()), JSON: b}}
	if err := r.deps.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return nil, r.coded(ctx, err)
	}
	d, err := r.draft(ctx, id, in.GetConversationId(), in.GetKind())
	return &consolev1.SaveDraftResponse{Draft: d}, r.coded(ctx, err)
}
