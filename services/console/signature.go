package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/docstore"
)

// MaxSignature bounds an agent's signature, in characters; it has at most 20 lines.
const MaxSignature = 1000

const maxSignatureLines = 20

// Signatures reads the own signatures of agents from the state store, for
// whatever sends what they write. The function returns "" for an agent without
// one and for an id that is no agent's.
func Signatures(ctx context.Context, state docstore.Store) (func(ctx context.Context, agent string) (string, error), error) {
	if err := state.Declare(ctx, collections...); err != nil {
		return nil, fmt.Errorf("declare console collections: %w", err)
	}
	return func(ctx context.Context, agent string) (string, error) {
		d, err := state.Get(ctx, "agents", agent)
		if errors.Is(err, docstore.ErrNotFound) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("read signature: %w", err)
		}
		a, err := decodeAgent(d)
		return a.Signature, err
	}, nil
}

// GetSignature returns the calling agent's own signature.
func (r rpc) GetSignature(ctx context.Context, _ *consolev1.GetSignatureRequest) (*consolev1.GetSignatureResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	a, err := r.agents.get(ctx, who.ID)
	return &consolev1.GetSignatureResponse{Signature: a.Signature}, r.coded(ctx, err)
}

// SaveSignature changes it; empty removes it.
func (r rpc) SaveSignature(ctx context.Context, req *consolev1.SaveSignatureRequest) (*consolev1.SaveSignatureResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	text, err := checkSignature(req.GetSignature())
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	err = r.agents.sign(ctx, who.ID, text)
	return &consolev1.SaveSignatureResponse{Signature: text}, r.coded(ctx, err)
}

// checkSignature brings a signature into the form in which it is sent.
func checkSignature(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if n := len([]rune(s)); n > MaxSignature {
		return "", fmt.Errorf("signature: %d characters, allowed are %d", n, MaxSignature)
	}
	if n := strings.Count(s, "\n") + 1; n > maxSignatureLines {
		return "", fmt.Errorf("signature: %d lines, allowed are %d", n, maxSignatureLines)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
		return "", errors.New("signature: holds control characters or ones that change the direction of text")
	}
	return s, nil
}

// sign changes an agent's signature and nothing else.
func (s *agents) sign(ctx context.Context, id, signature string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	a.Signature = signature
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	op := docstore.Op{Collection: "agents", Doc: docstore.Doc{ID: a.ID, Seq: a.Rev + 1, JSON: b}, IfRev: a.Rev}
	return s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
}
