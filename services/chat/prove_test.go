package chat_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/services/chat"
)

// proofs is the conversation target's part: one code per proof, good over the handle that asked.
type proofs struct {
	mu    sync.Mutex
	asked []*channelv1.StartHandleProofRequest
	tries []*channelv1.CheckHandleProofRequest
	err   error
}

func (p *proofs) StartHandleProof(_ context.Context, q *channelv1.StartHandleProofRequest) (*channelv1.StartHandleProofResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	p.asked = append(p.asked, q)
	return &channelv1.StartHandleProofResponse{ProofId: fmt.Sprintf("proof_%d", len(p.asked))}, nil
}

func (p *proofs) CheckHandleProof(_ context.Context, q *channelv1.CheckHandleProofRequest) (*channelv1.CheckHandleProofResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries = append(p.tries, q)
	left := int32(5 - len(p.tries))
	return &channelv1.CheckHandleProofResponse{Proven: q.GetCode() == "123456", TriesLeft: left}, nil
}

func (p *proofs) fails(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func withProofs(p *proofs) func(*chat.Deps) {
	return func(d *chat.Deps) {
		d.Proofs = p
		d.Inboxes.(*registry).other("support", "email")
	}
}

func TestAVisitorProvesHisAddress(t *testing.T) {
	t.Parallel()
	p := &proofs{}
	w := start(t, map[string]string{"prove_email": "support"}, withProofs(p))
	v := w.visit(frame{})
	if welcome := v.await("welcome"); welcome["prove"] != true {
		t.Fatalf("%v", welcome)
	}
	v.send(frame{"type": "prove", "address": " ada@example.org "})
	got := []frame{v.await("proof")}
	for _, code := range []string{"000000", "123456"} {
		v.send(frame{"type": "code", "id": "proof_1", "code": code})
		got = append(got, v.await("proof"))
	}
	want := []frame{
		{"type": "proof", "id": "proof_1", "state": "sent", "to": "a…@example.org"},
		{"type": "proof", "id": "proof_1", "state": "wrong", "tries_left": 4.0},
		{"type": "proof", "id": "proof_1", "state": "proven"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	me := p.asked[0].GetHandle()
	if me.GetKind() != "chat" || me.GetInboxId() != "shop" || len(me.GetAddress()) != 32 {
		t.Errorf("asked for %v", me)
	}
	asked := &channelv1.StartHandleProofRequest{Handle: me, Kind: "email", Address: "ada@example.org", SendBy: "support"}
	if !proto.Equal(asked, p.asked[0]) || !proto.Equal(me, p.tries[1].GetHandle()) {
		t.Errorf("asked %v, tried %v", p.asked[0], p.tries[1])
	}
}

func TestWhatProvingAnswersWhenItCannot(t *testing.T) {
	t.Parallel()
	p := &proofs{}
	w := start(t, map[string]string{"prove_email": "support"}, withProofs(p))
	v := w.visit(frame{})
	v.await("welcome")
	ask := func() frame {
		v.send(frame{"type": "prove", "address": "ada@example.org"})
		f := v.await("error")
		return frame{"code": f["code"], "field": f["field"]}
	}
	v.send(frame{"type": "prove", "address": "nobody"})
	if f := v.await("error"); f.str("code") != "invalid" || f.str("field") != "address" {
		t.Errorf("no address: %v", f)
	}
	p.fails(connect.NewError(connect.CodeInvalidArgument, errors.New("inner words")))
	if diff := cmp.Diff(frame{"code": "invalid", "field": "address"}, ask()); diff != "" {
		t.Error(diff)
	}
	busy := connect.NewError(connect.CodeResourceExhausted, errors.New("inner words"))
	busy.Meta().Set("Retry-After", "7")
	p.fails(busy)
	v.send(frame{"type": "prove", "address": "ada@example.org"})
	if f := v.await("error"); f.str("code") != "rate" || f["retry_after_ms"] != 7000.0 {
		t.Errorf("too many: %v", f)
	}
	p.fails(errors.New("inner words"))
	if diff := cmp.Diff(frame{"code": "unavailable", "field": "proof"}, ask()); diff != "" {
		t.Error(diff)
	}
	// Five an hour reach the hub, however often he asks.
	p.fails(nil)
	var sent, refused int
	for range 10 {
		v.send(frame{"type": "prove", "address": "ada@example.org"})
		for f := v.next(); ; f = v.next() {
			if f.str("type") == "proof" {
				sent++
				break
			}
			if f.str("type") == "error" {
				refused++
				break
			}
		}
	}
	if sent != 2 || refused != 8 {
		t.Errorf("%d sent, %d refused", sent, refused)
	}
}

func TestOnlyWhereTheInboxSaysSo(t *testing.T) {
	t.Parallel()
	p := &proofs{}
	w := start(t, nil, withProofs(p))
	v := w.visit(frame{})
	if welcome := v.await("welcome"); welcome["prove"] != nil {
		t.Errorf("%v", welcome)
	}
	for _, f := range []frame{{"type": "prove", "address": "ada@example.org"}, {"type": "code", "id": "proof_1", "code": "123456"}} {
		v.send(f)
		if f := v.await("error"); f.str("code") != "invalid" || f.str("field") != "proof" {
			t.Errorf("%v", f)
		}
	}
	if len(p.asked)+len(p.tries) != 0 {
		t.Errorf("asked %v, tried %v", p.asked, p.tries)
	}
}
