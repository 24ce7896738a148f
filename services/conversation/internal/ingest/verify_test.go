package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// doubting is a domain whose parser verifies with whatever answer is set.
type doubting struct {
	*domaintest.Domain
	handler ingest.Handler
	answer  func(ctx context.Context, items []channel.Item) []channel.Item
}

type doubter struct {
	channel.Parser
	d *doubting
}

func (v doubter) Verify(ctx context.Context, _ channel.Raw, items []channel.Item) []channel.Item {
	return v.d.answer(ctx, items)
}

func newDoubting(t *testing.T) *doubting {
	t.Helper()
	d := &doubting{Domain: domaintest.New(t), answer: confirm}
	d.handler = *d.Ingest
	d.handler.Refuted = refutations(t, d.Store)
	parsers := d.Ingest.Parsers
	d.handler.Parsers = func(name string) (channel.Parser, bool) {
		p, ok := parsers(name)
		return doubter{p, d}, ok
	}
	d.Ingest = &d.handler
	return d
}

func each(items []channel.Item, change func(*channel.Message)) []channel.Item {
	out := slices.Clone(items)
	for i, item := range out {
		m := *item.Message
		change(&m)
		out[i].Message = &m
	}
	return out
}

func confirm(_ context.Context, items []channel.Item) []channel.Item {
	return each(items, func(m *channel.Message) { m.Assurance, m.Evidence = 2, "dmarc=pass" })
}

func refute(_ context.Context, items []channel.Item) []channel.Item {
	return each(items, func(m *channel.Message) {
		m.From.Scope, m.Assurance, m.Evidence = channel.ScopeUnverified, 0, "dmarc=fail"
		m.Flags = append(slices.Clone(m.Flags), "unverified")
	})
}

func received(t *testing.T, d *doubting) []event.MessageReceived {
	t.Helper()
	return domaintest.Events[event.MessageReceived](d.Domain)
}

func TestVerifierDecidesWhoseMessageItIs(t *testing.T) {
	t.Parallel()
	d := newDoubting(t)
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	d.answer = refute
	must(t, d.Deliver("email", "support", "p2", mail("m2", "ada@x.org", "2")))
	must(t, d.Deliver("email", "support", "p3", mail("m3", "ada@x.org", "3")))
	at := customersOf(d.Domain)
	if at["in/p1"] == at["in/p2"] || at["in/p2"] != at["in/p3"] {
		t.Errorf("customers %v: two who are refuted are one, and never the one whose address it is", at)
	}
	ms := received(t, d)
	slices.SortFunc(ms, func(a, b event.MessageReceived) int { return int(a.Raw[4]) - int(b.Raw[4]) })
	for i, want := range []int{2, 0, 0} {
		if ms[i].Assurance != want || body(t, d.Domain, ms[i]).Evidence != []string{"dmarc=pass", "dmarc=fail"}[min(i, 1)] {
			t.Errorf("message %d: level %d by %q", i, ms[i].Assurance, body(t, d.Domain, ms[i]).Evidence)
		}
	}
}

// A message that comes again stays with the sender it had, whatever is found
// now: also when so much came since that the state has forgotten it.
func TestFirstVerdictIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, then func(context.Context, []channel.Item) []channel.Item
		between     int
	}{
		"confirmed, then refuted":            {confirm, refute, 0},
		"refuted, then confirmed":            {refute, confirm, 0},
		"confirmed, then refuted, long ago":  {confirm, refute, 700},
		"refuted, then confirmed, long ago":  {refute, confirm, 700},
		"confirmed, then confirmed long ago": {confirm, confirm, 700},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoubting(t)
			// Both senders exist, so that nothing but the message tells them apart.
			d.answer = c.then
			must(t, d.Deliver("email", "support", "other", mail("other", "ada@x.org", "0")))
			d.answer = c.first
			must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
			for n := range c.between {
				m := mail(fmt.Sprintf("x%d", n), "ada@x.org", "more")
				must(t, d.Ingest.Handle(t.Context(), input(t, m)))
			}
			d.CatchUp()
			before, levels := customersOf(d.Domain)["in/p1"], len(domaintest.Events[event.HandleAssured](d.Domain))
			d.answer = c.then
			for range 2 {
				must(t, d.Deliver("email", "support", "p9", mail("m1", "ada@x.org", "1")))
			}
			if at := customersOf(d.Domain); at["in/p9"] != "" || at["in/p1"] != before {
				t.Errorf("the message is stored again, at %s; first at %s", at["in/p9"], before)
			}
			if n := len(domaintest.Events[event.HandleAssured](d.Domain)); n != levels {
				t.Error("the verdict of now raised a handle")
			}
		})
	}
}

func input(t *testing.T, m channel.Message) ingest.Input {
	t.Helper()
	raw := channel.Raw{Channel: "email", Inbox: "support", ProviderID: m.ID, Peek: m.From, Body: itemJSON(t, m)}
	return ingest.Input{Ref: "in/" + m.ID, Raw: &raw}
}

func itemJSON(t *testing.T, m channel.Message) []byte {
	t.Helper()
	b, err := json.Marshal([]channel.Item{{Message: &m}})
	must(t, err)
	return b
}

func TestVerifierInTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer   func(context.Context, []channel.Item) []channel.Item
		evidence string
	}{
		"never ends":    {nil, "not verified: it took too long"},
		"panics":        {func(context.Context, []channel.Item) []channel.Item { panic("index") }, "not verified: verifier panicked: index"},
		"gives nothing": {func(context.Context, []channel.Item) []channel.Item { return nil }, "not verified: verifier gave other items"},
		"gives another": {func(_ context.Context, items []channel.Item) []channel.Item {
			return each(items, func(m *channel.Message) { m.ID, m.Assurance = "other", 4 })
		}, "not verified: verifier gave other items"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(t *testing.T) {
				d := newDoubting(t)
				d.answer = c.answer
				m := mail("m1", "ada@x.org", "1")
				m.Assurance = 3
				began := time.Now()
				must(t, d.Deliver("email", "support", "p1", m))
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("the input waited %s", took)
				}
				got := received(t, d)[0]
				if ev := body(t, d.Domain, got).Evidence; got.Assurance > 1 || !slices.Contains(got.Flags, "unverified") || ev != c.evidence {
					t.Errorf("level %d, flags %v, %q; want %q", got.Assurance, got.Flags, ev, c.evidence)
				}
			}
			if c.answer != nil {
				check(t)
				return
			}
			// One that ignores its context is left behind; here it ends with the test.
			synctest.Test(t, func(t *testing.T) {
				stop := make(chan struct{})
				c.answer = func(context.Context, []channel.Item) []channel.Item { <-stop; return nil }
				check(t)
				close(stop)
			})
		})
	}
}

// A hub that stops while it asks stores nothing: the answer could be due to that.
func TestVerifierWhileStopping(t *testing.T) {
	t.Parallel()
	d := newDoubting(t)
	ctx, cancel := context.WithCancel(t.Context())
	d.answer = func(_ context.Context, items []channel.Item) []channel.Item {
		cancel()
		return refute(ctx, items)
	}
	if err := d.Ingest.Handle(ctx, input(t, mail("m1", "ada@x.org", "1"))); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if n := len(received(t, d)); n != 0 {
		t.Errorf("%d messages are stored", n)
	}
	d.answer = confirm
	must(t, d.Ingest.Handle(t.Context(), input(t, mail("m1", "ada@x.org", "1"))))
	if ms := received(t, d); len(ms) != 1 || ms[0].Assurance != 2 {
		t.Errorf("afterwards: %+v", ms)
	}
}

// A returned token proves something only from level 2 on.
func TestTokenOfUnverifiedSenderIsNoProof(t *testing.T) {
	t.Parallel()
	for level, claims := range []bool{false, false, true, true} {
		d := domaintest.New(t)
		must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
		conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
		sent, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: command.Order{Actor: "ag", Key: "1", Conversation: conv}, Text: "hi"})
		must(t, err)
		d.CatchUp()
		// As if the token had been sent to this address, which nobody owns now.
		back := mail("m2", "ada@home.org", "thanks")
		back.Answers, back.AnswersFromSame, back.Assurance = sent.Entry, true, level
		must(t, d.Deliver("email", "support", "p2", back))
		if at := customersOf(d); (at["in/p1"] == at["in/p2"]) != claims {
			t.Errorf("level %d: claimed %v, want %v", level, at["in/p1"] == at["in/p2"], claims)
		}
	}
}

func TestReplyToARefutedSender(t *testing.T) {
	t.Parallel()
	d := newDoubting(t)
	d.answer = refute
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	o := command.Order{Actor: "ag", Key: "1", Conversation: domaintest.Events[event.ConversationOpened](d.Domain)[0].Conversation}
	for _, in := range []command.SendReply{{Order: o, Text: "hi"}, {Order: o, Text: "hi", Force: true}, {Order: o, Text: "hi", Automatic: true, Force: true, ToRefuted: true}} {
		_, err := d.Orders.SendReply(t.Context(), in)
		refuted, ok := errors.AsType[*customer.RefutedError](err)
		if !ok {
			t.Errorf("%+v: got %v", in, err)
			continue
		}
		if m := received(t, d)[0]; refuted.Message != m.Message || refuted.Handle != m.Handle || refuted.Evidence != "dmarc=fail" || strings.Contains(err.Error(), "dmarc") {
			t.Errorf("%+v: %+v", in, refuted)
		}
	}
	if n := len(domaintest.Events[event.ReplyRequested](d.Domain)); n != 0 {
		t.Fatalf("%d replies are on their way", n)
	}
	r, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: o, Text: "hi", ToRefuted: true})
	must(t, err)
	if e := r.Events[0].(event.ReplyRequested); e.Handle != received(t, d)[0].Handle || !e.ToRefuted {
		t.Errorf("a reply that was insisted on: %+v", e)
	}
}

// Insisting says nothing of a sender nobody refutes.
func TestReplyToAVerifiedSenderIsNotToARefuted(t *testing.T) {
	t.Parallel()
	d := newDoubting(t)
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	o := command.Order{Actor: "ag", Key: "1", Conversation: domaintest.Events[event.ConversationOpened](d.Domain)[0].Conversation}
	r, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: o, Text: "hi", ToRefuted: true})
	must(t, err)
	if r.Events[0].(event.ReplyRequested).ToRefuted {
		t.Error("it says that the sender was refuted")
	}
}
