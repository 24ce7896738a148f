package ingest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// discarding notes what the handler discards.
func discarding(t *testing.T, d *domaintest.Domain) *[]string {
	t.Helper()
	var gone []string
	deps := d.Ingest.Deps
	deps.Mask = nil
	deps.Discard = func(_ context.Context, ref string) error { gone = append(gone, ref); return nil }
	var err error
	d.Ingest, err = ingest.New(deps)
	must(t, err)
	return &gone
}

// answered is a reply that no look-up knows yet.
func answered(t *testing.T, d *domaintest.Domain) string {
	t.Helper()
	must(t, d.Deliver("email", "support", "p1", mail("m1", "ada@x.org", "1")))
	conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
	sent, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: command.Order{Actor: "ag", Key: "1", Conversation: conv}, Text: "hi"})
	must(t, err)
	return sent.Entry
}

func bounceOf(outbound string) ingest.Input {
	return domaintest.InputOf("email", "support", "bounce of "+outbound, channel.Address{Kind: "email", Address: "mailer-daemon@y.org"},
		channel.Item{Receipt: &channel.Receipt{Outbound: outbound, State: channel.StateFailed, Detail: "550 no such user"}})
}

// A bounce names no customer. One that comes before the look-up has its reply
// finds it at once: nothing else of its mail system has to wait.
func TestABounceThatIsAheadOfTheLookUp(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	gone := discarding(t, d)
	reply := answered(t, d)
	must(t, d.Ingest.Handle(t.Context(), bounceOf(reply)))
	if got := domaintest.Events[event.ReplyProgressed](d); len(got) != 1 || got[0].Reply != reply || got[0].State != "failed" {
		t.Errorf("told %+v", got)
	}
	if len(*gone) != 0 {
		t.Errorf("discarded %v", *gone)
	}
}

// A receipt of nothing that is stored is certain when the look-up has everything:
// its original goes, since nobody is told and nothing names it.
func TestAReceiptOfNothingIsDropped(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]ingest.Input{
		"a bounce":   bounceOf("unknown"),
		"our report": {Ref: "in/r", Receipt: &channel.Receipt{Channel: "email", Inbox: "support", Outbound: "unknown", State: channel.StateSent}},
		"a report to a customer": {Ref: "in/r", Receipt: &channel.Receipt{
			Channel: "email", Inbox: "support", Outbound: "unknown", Customer: "id1", State: channel.StateSent,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			gone := discarding(t, d)
			answered(t, d)
			must(t, d.Ingest.Handle(t.Context(), in))
			if got := domaintest.Events[event.ReplyProgressed](d); len(got) != 0 {
				t.Errorf("told %+v", got)
			}
			if !slices.Equal(*gone, []string{in.Ref}) {
				t.Errorf("discarded %v", *gone)
			}
		})
	}
}

// What came with a receipt of nothing keeps the original.
func TestAReceiptOfNothingBesideAMessage(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	gone := discarding(t, d)
	m := mail("m1", "ada@x.org", "1")
	in := domaintest.InputOf("email", "support", "p1", m.From, channel.Item{Message: &m},
		channel.Item{Receipt: &channel.Receipt{Outbound: "unknown", State: channel.StateFailed}})
	for range 2 {
		must(t, d.Handle(in))
	}
	if got := domaintest.Events[event.MessageReceived](d); len(got) != 1 || len(*gone) != 0 {
		t.Errorf("%d messages, discarded %v", len(got), *gone)
	}
}
