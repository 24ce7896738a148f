package verify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/verify"
)

// movedAround is a real history: a handle goes to another customer and back,
// open questions go along and are answered there.
func movedAround(t *testing.T) (*domaintest.Domain, string) {
	t.Helper()
	d := domaintest.New(t)
	from := channel.Address{Kind: "email", Address: "ada@x.org"}
	say := func(id string) {
		d.Clock = d.Clock.Add(time.Minute)
		if err := d.Deliver("email", "support", id, channel.Message{ID: id, From: from, OccurredAt: d.Clock, Content: channel.Content{Text: id}}); err != nil {
			t.Fatal(err)
		}
	}
	say("m1")
	m := domaintest.Events[event.MessageReceived](d)[0]
	to := ""
	for i := range 3 {
		o := command.Order{Actor: "ag", Key: fmt.Sprint(i)}
		p, err := d.Orders.PreviewMove(t.Context(), "", m.Handle, to, domaintest.Start)
		if i > 0 {
			p, err = d.Orders.PreviewMove(t.Context(), "", m.Handle, to, time.Time{})
		}
		if err != nil {
			t.Fatal(err)
		}
		in := command.MoveHandle{Order: o, Handle: m.Handle, To: to, Token: p.Token}
		if i == 0 {
			in.ValidFrom = domaintest.Start
		}
		moved, err := d.Orders.MoveHandle(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		d.CatchUp()
		to = moved.From
		opened := domaintest.Events[event.ConversationOpened](d)
		if i == 0 { // answers what another customer's stream has
			o.Conversation = opened[len(opened)-1].Conversation
			if _, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: o, Text: "here", Answers: m.Message}); err != nil {
				t.Fatal(err)
			}
			d.CatchUp()
		}
		say(fmt.Sprint("n", i))
	}
	return d, m.Handle
}

func verified(t *testing.T, d *domaintest.Domain) verify.Report {
	t.Helper()
	r, err := verify.Run(t.Context(), verify.Deps{Events: d.Store, Keys: d.Keys, Decode: codec.Decode})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNoFalseAlarmAboutMoves(t *testing.T) {
	t.Parallel()
	d, _ := movedAround(t)
	if r := verified(t, d); !r.OK() || r.Messages != 4 || r.Replies != 1 {
		t.Errorf("%+v %v", r, r.First)
	}
	if len(domaintest.Events[event.HandleDetached](d)) != 3 {
		t.Error("nothing was detached")
	}
}

// TestOffendersAfterMovesAndErasures: what comes too late is named.
func TestOffendersAfterMovesAndErasures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		law    string
		events func(handle string, m event.MessageReceived) []event.Event
	}{
		"a message after the fence": {"ownership", func(_ string, m event.MessageReceived) []event.Event {
			m.Message = "late"
			return []event.Event{m}
		}},
		"an ended tenure attached": {"ownership", func(h string, _ event.MessageReceived) []event.Event {
			return []event.Event{event.HandleAttached{Handle: h, Kind: "email", Tenure: 1}}
		}},
		"a note after an erasure": {"erasure", func(_ string, m event.MessageReceived) []event.Event {
			return []event.Event{event.CustomerErased{EraseID: "e"}, event.NoteAdded{Note: "n", Conversation: m.Conversation}}
		}},
		"an answer to what nobody said": {"reply", func(h string, m event.MessageReceived) []event.Event {
			return []event.Event{
				event.ConversationOpened{Conversation: "x", Topic: "x", Carried: []event.Handed{{Unit: m.Unit}}},
				event.ReplyRequested{Reply: "r", Conversation: "x", Answers: "nothing", Handle: h, Tenure: 0},
			}
		}},
	} {
		d, h := movedAround(t)
		var first stream
		for _, c := range d.Commits() {
			for _, e := range c.Events {
				if got, ok := e.(event.MessageReceived); ok && got.Tenure == 1 {
					first = stream{c.Stream, got}
				}
			}
		}
		if first.name == "" {
			t.Fatal("no message by the first tenure")
		}
		d.Clock = d.Clock.Add(time.Hour)
		add(t, d, first.name, tc.events(h, first.m)...)
		switch r := verified(t, d); {
		case r.OK():
			t.Errorf("%s: not found", name)
		case r.First.Law != tc.law:
			t.Errorf("%s: found %v", name, r.First)
		}
	}
}

type stream struct {
	name string
	m    event.MessageReceived
}

// TestAPurgedStreamIsNoOffence: all that is left tells that its customer was erased.
func TestAPurgedStreamIsNoOffence(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	add(t, d, "customer.x", event.CustomerErased{EraseID: "e"})
	add(t, d, "customer.x", event.ErasureDone{EraseID: "e"})
	if r := verified(t, d); !r.OK() {
		t.Error(r.First)
	}
}

func add(t *testing.T, d *domaintest.Domain, name string, es ...event.Event) {
	t.Helper()
	records, err := codec.Encode(es)
	if err != nil {
		t.Fatal(err)
	}
	a := eventstore.Append{Tenant: "default", Stream: name, Commit: eventstore.Commit{
		ID: fmt.Sprintf("test:%T", es[0]), RecordedAt: d.Clock, Actor: "test", Records: records,
	}}
	for c, err := range d.Store.Load(t.Context(), "default", name, 0) {
		if err != nil {
			t.Fatal(err)
		}
		a.Expect = c.Seq
	}
	d.Clock = d.Clock.Add(time.Minute)
	a.Commit.RecordedAt = d.Clock
	if r := d.Store.Append(t.Context(), a)[0]; r.Err != nil {
		t.Fatal(r.Err)
	}
}
