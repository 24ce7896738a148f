package policy_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/projection"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/policy"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

var _ projection.Sink = (*policy.Policy)(nil)

// post is an outbox and a clockwork that remember what they were given.
type post struct {
	sent   []channel.Outbound
	keys   []string
	timers map[string][]byte
	down   bool
}

func (p *post) Publish(_ context.Context, key string, out channel.Outbound) error {
	if p.down {
		return errors.New("no connection")
	}
	p.sent, p.keys = append(p.sent, out), append(p.keys, key)
	return nil
}

func (p *post) Schedule(_ context.Context, tenant, kind, id string, at time.Time, payload []byte) error {
	p.timers[tenant+"/"+kind+"/"+id+"/"+at.Format(time.RFC3339)] = payload
	return nil
}

type bundle struct {
	*domaintest.Domain
	*post
	policy *policy.Policy
	order  command.Order
}

// setup is a domain in which Ada asked something.
func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Domain: domaintest.New(t), post: &post{timers: map[string][]byte{}}}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.policy, err = policy.New(policy.Deps{
		Customers: b.Customers, Keys: b.Keys, Outbox: b.post, Timers: b.post, Waker: b.Orders, State: store,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Deliver("email", "support", "p1", channel.Message{
		ID: "m1", From: channel.Address{Kind: "email", Address: "ada@x.org", Name: "Ada"}, Refs: []string{"<m1@x>"},
		Content: channel.Content{Subject: "Order 7", Text: "where?"},
	}); err != nil {
		t.Fatal(err)
	}
	b.order = command.Order{Actor: "ag", Key: "k1", Conversation: domaintest.Events[event.ConversationOpened](b.Domain)[0].Conversation}
	return b
}

// follow applies what is new since the checkpoint, or (again) everything.
func (b *bundle) follow(t *testing.T, again bool) error {
	t.Helper()
	for p := range b.Store.Partitions() {
		from, err := b.policy.Checkpoint(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if again {
			from = 0
		}
		commits, err := b.Store.Read(t.Context(), p, from+1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(commits) == 0 {
			continue
		}
		if err := b.policy.Apply(t.Context(), p, commits); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundle) receipt(t *testing.T, reply string, s channel.State) {
	t.Helper()
	if err := b.Handle(ingest.Input{Receipt: &channel.Receipt{Outbound: reply, Channel: "email", Inbox: "support", State: s, At: b.Clock}}); err != nil {
		t.Fatal(err)
	}
}

func TestAReplyIsHandedOverOnceTheOutboxIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, err := b.Orders.SendReply(t.Context(), command.SendReply{Order: b.order, Text: "here", AuthorName: "Grace"})
	if err != nil {
		t.Fatal(err)
	}
	b.down = true
	if err := b.follow(t, false); err == nil {
		t.Fatal("no error")
	}
	b.down = false
	if err := b.follow(t, false); err != nil {
		t.Fatal(err)
	}
	want := channel.Outbound{
		ID: r.Entry, Tenant: "default", Channel: "email", Inbox: "support", Customer: r.Customer, Conversation: r.Conversation,
		Position: event.Position(r.Commit.RecordedAt, r.Commit.Seq, 0),
		To:       channel.Address{Kind: "email", Address: "ada@x.org", Name: "Ada"},
		Subject:  "Re: Order 7", Content: channel.Content{Subject: "Re: Order 7", Text: "here"}, Author: "ag", AuthorName: "Grace",
		At: r.Commit.RecordedAt, InReplyTo: "<m1@x>", References: []string{"<m1@x>"}, Attempt: 1,
	}
	if diff := cmp.Diff([]channel.Outbound{want}, b.sent); diff != "" {
		t.Error(diff)
	}
	if key := r.Events[0].(event.ReplyRequested).Unit; b.keys[0] != key {
		t.Errorf("sealed under %s, want %s", b.keys[0], key)
	}
	// The checkpoint was lost after the channel had spoken: nothing goes out again.
	b.CatchUp()
	b.receipt(t, r.Entry, channel.StateSent)
	if err := b.follow(t, true); err != nil {
		t.Fatal(err)
	}
	if len(b.sent) != 1 {
		t.Errorf("sent %d times", len(b.sent))
	}
}

func TestARetryIsANewAttemptThatKnowsTheOutcomeBefore(t *testing.T) {
	t.Parallel()
	for state, unknown := range map[channel.State]bool{channel.StateUnknown: true, channel.StateFailed: false} {
		b := setup(t)
		r, err := b.Orders.SendReply(t.Context(), command.SendReply{Order: b.order, Text: "here"})
		if err != nil {
			t.Fatal(err)
		}
		b.CatchUp()
		b.receipt(t, r.Entry, state)
		b.order.Key = "k2"
		if _, err := b.Orders.RetryReply(t.Context(), b.order, r.Entry); err != nil {
			t.Fatal(err)
		}
		if err := b.follow(t, false); err != nil {
			t.Fatal(err)
		}
		if len(b.sent) != 1 || b.sent[0].Attempt != 2 || b.sent[0].Unknown != unknown || b.sent[0].Content.Text != "here" {
			t.Errorf("%s: %+v", state, b.sent)
		}
	}
}

func TestASnoozeWakesByItsTimer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	until := b.Clock.Add(time.Hour)
	if _, err := b.Orders.SetStatus(t.Context(), b.order, customer.Snoozed, until); err != nil {
		t.Fatal(err)
	}
	if err := b.follow(t, false); err != nil {
		t.Fatal(err)
	}
	payload := b.timers["default/wake/"+b.order.Conversation+"/"+until.Format(time.RFC3339)]
	if payload == nil {
		t.Fatalf("timers %v", b.timers)
	}
	for range 2 {
		if err := b.policy.Fired(t.Context(), "default", payload); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(domaintest.Events[event.ConversationWoken](b.Domain)); n != 1 {
		t.Errorf("woken %d times", n)
	}
	for _, odd := range []string{"not json", `{"customer":"nobody","conversation":"none"}`} {
		if err := b.policy.Fired(t.Context(), "default", []byte(odd)); err != nil {
			t.Errorf("%s comes again for ever: %v", odd, err)
		}
	}
}

func TestAnErasedReplyIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, err := b.Orders.SendReply(t.Context(), command.SendReply{Order: b.order, Text: "here"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Keys.Destroy(t.Context(), r.Events[0].(event.ReplyRequested).Unit); err != nil {
		t.Fatal(err)
	}
	if err := b.follow(t, false); err != nil || len(b.sent) != 0 {
		t.Errorf("sent %v, %v", b.sent, err)
	}
}

func TestItRunsInTheProjectionRunner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	runner, err := projection.New(projection.Config{}, b.Store, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	if _, err := b.Orders.SendReply(t.Context(), command.SendReply{Order: b.order, Text: "here"}); err != nil {
		t.Fatal(err)
	}
	if err := runner.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil || len(b.sent) != 1 {
		t.Errorf("sent %d, %v", len(b.sent), err)
	}
}
