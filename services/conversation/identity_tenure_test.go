package conversation_test

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/pkg/weftline/identity/v1/identityv1connect"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestMoveAHandleOverTheWire: preview, a stale token, the move, the open
// question at its new owner, and what is refused names its field.
func TestMoveAHandleOverTheWire(t *testing.T) {
	t.Parallel()
	r := start(t)
	id := identityv1connect.NewIdentityServiceClient(as("agent"), r.url)
	r.deliver("m1", post{From: "ada@x.org", Text: "where is it?"})
	rows := eventually(t, "the conversation", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(l *inboxv1.ListConversationsResponse) bool { return len(l.GetConversations()) == 1 })
	conv := rows.GetConversations()[0]
	full, err := r.inbox.GetConversation(t.Context(), &inboxv1.GetConversationRequest{ConversationId: conv.GetId()})
	if err != nil {
		t.Fatal(err)
	}
	h := full.GetConversation().GetReplyTarget().GetHandle().GetId()
	from := timestamppb.New(conv.GetOpenedAt().AsTime().AddDate(-1, 0, 0))
	p, err := id.PreviewMove(t.Context(), &identityv1.PreviewMoveRequest{HandleId: h, ValidFrom: from})
	if err != nil || len(p.GetMoving()) != 1 || !p.GetMoving()[0].GetWhole() || p.GetFrom() != conv.GetCustomerId() || p.GetRefused() != "" {
		t.Fatalf("%v %v", p, err)
	}
	_, err = id.MoveHandle(t.Context(), &identityv1.MoveHandleRequest{HandleId: h, Token: p.GetToken()}) // not as previewed: from now on
	if d, ok := detailOf[*identityv1.PreviewStale](err); !ok || len(d.GetChanges()) == 0 || connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a stale preview: %v", err)
	}
	moved, err := id.MoveHandle(t.Context(), &identityv1.MoveHandleRequest{HandleId: h, ValidFrom: from, Token: p.GetToken(), IdempotencyKey: "k"})
	if err != nil || moved.GetCustomerId() == conv.GetCustomerId() || moved.GetMoveId() == "" {
		t.Fatalf("%v %v", moved, err)
	}
	again, err := id.MoveHandle(t.Context(), &identityv1.MoveHandleRequest{HandleId: h, ValidFrom: from, Token: p.GetToken(), IdempotencyKey: "k"})
	if err != nil || again.GetCustomerId() != moved.GetCustomerId() {
		t.Errorf("again: %v %v", again, err)
	}
	eventually(t, "the question at its new owner", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(l *inboxv1.ListConversationsResponse) bool {
		for _, c := range l.GetConversations() {
			if c.GetCustomerId() == moved.GetCustomerId() && c.GetStatus() == inboxv1.Status_STATUS_OPEN {
				return true
			}
		}
		return false
	})
	for name, c := range map[string]struct{ method, body, holds string }{
		"no token":     {"MoveHandle", `{"handleId":"` + h + `"}`, "token"},
		"no qualifier": {"QualifyHandle", `{"handleId":"` + h + `"}`, "qualifier"},
		"no entries":   {"SplitConversation", `{"conversationId":"` + conv.GetId() + `"}`, "entry_ids"},
		"to nobody":    {"AttributeConversation", `{"conversationId":"` + conv.GetId() + `","customerId":"nobody"}`, "not_found"},
	} {
		if status, _, body := r.call("agent", http.MethodPost, "/weftline.identity.v1.IdentityService/"+c.method, c.body); status < 400 || !strings.Contains(body, c.holds) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
