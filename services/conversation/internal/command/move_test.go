package command_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

var (
	adasMail = channel.Address{Kind: "email", Address: "ada@x.org"}
	bobsMail = channel.Address{Kind: "email", Address: "bob@x.org"}
)

// said takes a mail in and returns its event.
func said(t *testing.T, d *domaintest.Domain, id string, from channel.Address, change ...func(*channel.Message)) event.MessageReceived {
	t.Helper()
	d.Clock = d.Clock.Add(time.Minute)
	m := channel.Message{ID: id, From: from, OccurredAt: d.Clock, Assurance: 1, Content: channel.Content{Subject: "Order " + id, Text: "where is " + id}, Refs: []string{"<" + id + ">"}}
	for _, c := range change {
		c(&m)
	}
	ch, inbox := "email", "support"
	if from.Kind == "chat" {
		ch, inbox = "chat", "widget"
	}
	if err := d.Deliver(ch, inbox, id, m); err != nil {
		t.Fatal(err)
	}
	received := domaintest.Events[event.MessageReceived](d)
	for _, e := range received {
		if e.Message == d.Ingest.MessageID(channel.Raw{Tenant: "default", Channel: ch, Inbox: inbox, ProviderID: id}, m) {
			return e
		}
	}
	t.Fatalf("message %s did not get in", id)
	return event.MessageReceived{}
}

func owner(t *testing.T, d *domaintest.Domain, handle string) string {
	t.Helper()
	own, err := d.Claims.Reload(t.Context(), "default", handle)
	if err != nil {
		t.Fatal(err)
	}
	return own.Customer
}

// move previews and moves.
func move(t *testing.T, d *domaintest.Domain, in command.MoveHandle) (command.Moved, command.MovePreview) {
	t.Helper()
	p, err := d.Orders.PreviewMove(t.Context(), "", in.Handle, in.To, in.ValidFrom)
	if err != nil || p.Refused != nil {
		t.Fatal(err, p.Refused)
	}
	in.Token = p.Token
	m, err := d.Orders.MoveHandle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	d.CatchUp()
	return m, p
}

// TestAMovedQuestionIsAnsweredByItsNewOwner: the wrong claim is taken back. The
// open question goes along, is answered where it was asked from, and the next
// message goes on with it; the former owner can write to the address no more.
func TestAMovedQuestionIsAnsweredByItsNewOwner(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	asked := said(t, d, "m1", adasMail)
	bob := owner(t, d, said(t, d, "m2", bobsMail).Handle)
	former := owner(t, d, asked.Handle)
	moved, p := move(t, d, command.MoveHandle{
		Order: command.Order{Actor: "ag", Key: "k"}, Handle: asked.Handle, To: bob, ValidFrom: domaintest.Start,
	})
	if len(p.Moving) != 1 || p.Moving[0].Messages != 1 || !p.Moving[0].Whole || p.Moving[0].Subject != "Order m1" || p.From != former {
		t.Errorf("preview %+v", p)
	}
	if moved.Customer != bob || moved.From != former || owner(t, d, asked.Handle) != bob {
		t.Errorf("moved %+v", moved)
	}
	head := domaintest.Events[event.ConversationOpened](d)
	last := head[len(head)-1]
	if last.Continues != asked.Conversation || last.Topic != asked.Conversation || last.Inbox != "support" || len(last.Carried) != 1 {
		t.Fatalf("successor %+v", last)
	}
	r, err := d.Orders.SendReply(t.Context(), command.SendReply{
		Order: command.Order{Actor: "ag", Key: "k", Conversation: last.Conversation}, Text: "here", Answers: asked.Message,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Events[0].(event.ReplyRequested)
	body, err := seal.Open[event.ReplyBody](t.Context(), d.Keys, e.Body, event.ReplyAAD(r.Entry))
	if err != nil || body.To.Address != "ada@x.org" || body.Subject != "Re: Order m1" || body.InReplyTo != "<m1>" || e.Tenure != 2 {
		t.Errorf("%+v %+v %v", e, body, err)
	}
	if !e.UnitOpened.Equal(*asked.UnitOpened) {
		t.Errorf("the unit goes on since %v, not %v", e.UnitOpened, asked.UnitOpened)
	}
	var ended *customer.TenureEndedError
	if _, err := d.Orders.SendReply(t.Context(), command.SendReply{
		Order: command.Order{Actor: "ag", Key: "k", Conversation: asked.Conversation}, Text: "here",
	}); !errors.As(err, &ended) {
		t.Errorf("the former owner is still answered: %v", err)
	}
	d.CatchUp()
	next := said(t, d, "m3", adasMail, func(m *channel.Message) { m.References = []string{"<m1>"} })
	if next.Conversation != last.Conversation || next.Tenure != 2 {
		t.Errorf("went on in %s", next.Conversation)
	}
	if n := len(domaintest.Events[event.MessageReceived](d)); n != 3 {
		t.Errorf("%d messages", n)
	}
	said(t, d, "m1", adasMail) // again: it is known
	if n := len(domaintest.Events[event.MessageReceived](d)); n != 3 {
		t.Errorf("%d messages after a redelivery", n)
	}

	// The same order again is the same move, without a preview of now.
	again, err := d.Orders.MoveHandle(t.Context(), command.MoveHandle{
		Order: command.Order{Actor: "ag", Key: "k"}, Handle: asked.Handle, To: bob, ValidFrom: domaintest.Start,
	})
	moved.Repeated = true
	if diff := cmp.Diff(moved, again); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// TestARecycledNumberTakesNothing: moved from now on, the former owner keeps
// what he said, and nobody is answered at the address for it.
func TestARecycledNumberTakesNothing(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	asked := said(t, d, "m1", adasMail)
	d.Clock = d.Clock.Add(time.Hour)
	moved, p := move(t, d, command.MoveHandle{Order: command.Order{Actor: "ag", Key: "k"}, Handle: asked.Handle})
	if len(p.Moving) != 0 || moved.Customer == p.From || moved.Customer == "" {
		t.Errorf("%+v %+v", moved, p)
	}
	if n := len(domaintest.Events[event.ConversationOpened](d)); n != 1 {
		t.Errorf("%d conversations", n)
	}
	var ended *customer.TenureEndedError
	if _, err := d.Orders.SendReply(t.Context(), command.SendReply{
		Order: command.Order{Actor: "ag", Key: "k", Conversation: asked.Conversation}, Text: "here", Answers: asked.Message,
	}); !errors.As(err, &ended) {
		t.Error(err)
	}
	// The address is sealed anew: erasing the former owner does not take it from the new one.
	if err := d.Keys.Destroy(t.Context(), event.AddressKey(asked.Handle, 1)); err != nil {
		t.Fatal(err)
	}
	if _, a, err := d.Claims.Address(t.Context(), "default", asked.Handle); err != nil || a.Address != "ada@x.org" {
		t.Error(a, err)
	}
}

func TestAStalePreviewMovesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		meanwhile func(t *testing.T, d *domaintest.Domain, h string)
		want      string
	}{
		"another message": {func(t *testing.T, d *domaintest.Domain, _ string) { said(t, d, "m9", adasMail) }, "other messages would go along now"},
		"another owner": {func(t *testing.T, d *domaintest.Domain, h string) {
			move(t, d, command.MoveHandle{Order: command.Order{Actor: "ag2", Key: "k"}, Handle: h})
		}, "the handle belongs to another customer now"},
		"another handle claimed by it": {func(t *testing.T, d *domaintest.Domain, _ string) { login(t, d) }, "other handles were claimed through this one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			h := said(t, d, "m1", adasMail).Handle
			in := command.MoveHandle{Order: command.Order{Actor: "ag", Key: "k"}, Handle: h, ValidFrom: domaintest.Start}
			p, err := d.Orders.PreviewMove(t.Context(), "", h, "", in.ValidFrom)
			if err != nil {
				t.Fatal(err)
			}
			tc.meanwhile(t, d, h)
			in.Token = p.Token
			before := len(d.Commits())
			_, err = d.Orders.MoveHandle(t.Context(), in)
			var stale *command.PreviewStaleError
			if !errors.As(err, &stale) || stale.Changes[0] != tc.want {
				t.Errorf("%v", err)
			}
			if n := len(d.Commits()); n != before {
				t.Errorf("%d commits more", n-before)
			}
		})
	}
}

// login: Ada's address proves that a visitor of the widget is hers.
func login(t *testing.T, d *domaintest.Domain) event.MessageReceived {
	t.Helper()
	return said(t, d, "c1", channel.Address{Kind: "chat", Scope: "widget", Address: "v1"}, func(m *channel.Message) {
		m.Assurance, m.ClaimsHandle = 4, &adasMail
	})
}

// TestDependentsStayUnlessNamed: what was claimed by a proof through the handle.
func TestDependentsStayUnlessNamed(t *testing.T) {
	t.Parallel()
	for _, along := range []bool{false, true} {
		d := domaintest.New(t)
		h := said(t, d, "m1", adasMail).Handle
		v := login(t, d)
		if v.Proof != nil || owner(t, d, v.Handle) != owner(t, d, h) {
			t.Fatalf("the visitor is %s's", owner(t, d, v.Handle))
		}
		in := command.MoveHandle{Order: command.Order{Actor: "ag", Key: "k"}, Handle: h, ValidFrom: domaintest.Start}
		if along {
			in.Along = []string{v.Handle}
		}
		moved, p := move(t, d, in)
		if len(p.Dependents) != 1 || p.Dependents[0].ID != v.Handle {
			t.Errorf("dependents %+v", p.Dependents)
		}
		if got := owner(t, d, v.Handle) == moved.Customer; got != along {
			t.Errorf("along %v: the visitor went along: %v", along, got)
		}
		// An older proof does not lead back to the former owner.
		if !along {
			continue
		}
		d.Clock = d.Clock.Add(-30 * time.Second)
		late := said(t, d, "c0", channel.Address{Kind: "chat", Scope: "widget", Address: "v1"})
		if late.Proof != nil {
			t.Errorf("proof %+v", late.Proof)
		}
	}
}

// TestAProofOlderThanAMoveCountsNoMore (C-27): the message that proves b to be
// Ada's was on its way when an agent gave b to another.
func TestAProofOlderThanAMoveCountsNoMore(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	ada := owner(t, d, said(t, d, "m1", adasMail).Handle)
	v := login(t, d)
	at := d.Clock
	d.Clock = d.Clock.Add(time.Minute)
	moved, _ := move(t, d, command.MoveHandle{Order: command.Order{Actor: "ag", Key: "k"}, Handle: v.Handle})
	proof := func(id string, received time.Time) *event.Proof {
		d.Clock = received.Add(-time.Minute)
		e := said(t, d, id, channel.Address{Kind: "chat", Scope: "widget", Address: "v1"}, func(m *channel.Message) {
			m.Assurance, m.ClaimsHandle = 4, &adasMail
		})
		if e.Tenure != 2 {
			t.Errorf("%s came by tenure %d", id, e.Tenure)
		}
		return e.Proof
	}
	if p := proof("old", at); p != nil {
		t.Errorf("an old proof links %s and %s: %+v", ada, moved.Customer, p)
	}
	if p := proof("new", d.Clock.Add(time.Hour)); p == nil || p.Customer != ada {
		t.Errorf("a new proof: %+v", p)
	}
}

// TestAMoveRefusesWhatCannotBe names the field.
func TestAMoveRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	h := said(t, d, "m1", adasMail).Handle
	from := owner(t, d, h)
	var field *customer.FieldError
	var missing *customer.NotFoundError
	for name, tc := range map[string]struct {
		in   command.MoveHandle
		want any
	}{
		"to the owner":   {command.MoveHandle{Handle: h, To: from}, &field},
		"to nobody":      {command.MoveHandle{Handle: h, To: "unknown"}, &missing},
		"tomorrow":       {command.MoveHandle{Handle: h, ValidFrom: d.Clock.AddDate(0, 0, 1)}, &field},
		"no such handle": {command.MoveHandle{Handle: "h"}, &missing},
		"no preview":     {command.MoveHandle{Handle: h, Token: "x"}, &field},
		"no dependent":   {command.MoveHandle{Handle: h, Along: []string{"other"}}, &field},
	} {
		tc.in.Order = command.Order{Actor: "ag", Key: "k"}
		if tc.in.Token == "" {
			p, _ := d.Orders.PreviewMove(t.Context(), "", tc.in.Handle, tc.in.To, tc.in.ValidFrom)
			tc.in.Token = p.Token
		}
		if _, err := d.Orders.MoveHandle(t.Context(), tc.in); !errors.As(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(domaintest.Events[event.HandleMoved](d)); n != 0 {
		t.Errorf("%d moves", n)
	}
}

// TestASharedHandleIsALine: it becomes a customer of its own, whose
// conversations have speakers, and goes back.
func TestASharedHandleIsALine(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	asked := said(t, d, "m1", adasMail)
	bob := owner(t, d, said(t, d, "m2", bobsMail).Handle)
	ada := owner(t, d, asked.Handle)
	var refused *customer.RefusedError
	if _, err := d.Orders.AttributeConversation(t.Context(), command.Order{Actor: "ag", Key: "k", Conversation: asked.Conversation}, bob); !errors.As(err, &refused) {
		t.Errorf("a speaker on an address of one: %v", err)
	}
	own, err := d.Orders.QualifyHandle(t.Context(), command.Order{Actor: "ag", Key: "k"}, asked.Handle, "shared")
	if err != nil || own.Customer == ada || own.Qualifier != "shared" {
		t.Fatalf("%+v %v", own, err)
	}
	again, err := d.Orders.QualifyHandle(t.Context(), command.Order{Actor: "ag", Key: "k"}, asked.Handle, "shared")
	if err != nil || again.Customer != own.Customer || again.Tenure != own.Tenure {
		t.Errorf("again: %+v %v", again, err)
	}
	d.CatchUp()
	opened := domaintest.Events[event.ConversationOpened](d)
	head := opened[len(opened)-1].Conversation
	if r, err := d.Orders.AttributeConversation(t.Context(), command.Order{Actor: "ag", Key: "k", Conversation: head}, bob); err != nil || len(r.Events) != 1 {
		t.Errorf("%+v %v", r, err)
	}
	own, err = d.Orders.QualifyHandle(t.Context(), command.Order{Actor: "ag", Key: "k2"}, asked.Handle, "none")
	if err != nil || own.Customer != ada || own.Qualifier != "" {
		t.Errorf("back: %+v %v", own, err)
	}
	carried := domaintest.Events[event.ConversationCarried](d)
	if len(carried) != 1 || carried[0].Conversation != asked.Conversation {
		t.Errorf("went back to %+v", carried)
	}
}

// TestSplitShowsElsewhereAndMovesNothing.
func TestSplitShowsElsewhereAndMovesNothing(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	a, b := said(t, d, "m1", adasMail), said(t, d, "m2", adasMail)
	other := said(t, d, "m3", bobsMail)
	o := command.Order{Actor: "ag", Key: "k", Conversation: a.Conversation}
	var field *customer.FieldError
	for _, bad := range [][]string{nil, {other.Message}, {"unknown"}, {b.Message, b.Message}, make([]string, 201)} {
		if _, err := d.Orders.SplitConversation(t.Context(), o, bad); !errors.As(err, &field) || field.Field != "entry_ids" {
			t.Errorf("%d entries: %v", len(bad), err)
		}
	}
	r, err := d.Orders.SplitConversation(t.Context(), o, []string{b.Message})
	if err != nil || r.Conversation == a.Conversation || len(r.Events) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	d.CatchUp()
	reply, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: command.Order{Actor: "ag", Key: "k", Conversation: r.Conversation}, Text: "here"})
	if err != nil {
		t.Fatal(err)
	}
	if e := reply.Events[0].(event.ReplyRequested); e.Answers != b.Message || e.Handle != b.Handle || e.Tenure != 1 {
		t.Errorf("answered %+v", e)
	}
	again, err := d.Orders.SplitConversation(t.Context(), o, []string{b.Message})
	if err != nil || !again.Repeated || again.Conversation != r.Conversation {
		t.Errorf("again %+v %v", again, err)
	}
}

// TestAssertedIsNotProven: an address a message names as its sender's is kept,
// sealed under his key, and moves nothing.
func TestAssertedIsNotProven(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	ada := said(t, d, "m1", adasMail)
	typed := said(t, d, "c1", channel.Address{Kind: "chat", Scope: "widget", Address: "v1"}, func(m *channel.Message) {
		m.Assurance, m.ClaimsHandle, m.Flags = 2, &adasMail, []string{"offline_capture"}
	})
	if owner(t, d, typed.Handle) == owner(t, d, ada.Handle) || typed.Proof != nil {
		t.Error("a typed address was taken for proof")
	}
	got := domaintest.Events[event.HandleAsserted](d)
	if len(got) != 1 || got[0].Handle != handleid.Of(d.Keys, adasMail) || got[0].Assurance != 0 || got[0].Message != typed.Message {
		t.Fatalf("%+v", got)
	}
	key := event.CustomerKey(owner(t, d, typed.Handle))
	a, err := seal.Open[event.Address](t.Context(), d.Keys, got[0].Address, event.AssertionAAD(typed.Message, got[0].Handle))
	if err != nil || a.Address != adasMail.Address || got[0].Address.Key != key {
		t.Errorf("%+v %v", a, err)
	}
	if err := d.Keys.Destroy(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Keys.Open(t.Context(), got[0].Address, event.AssertionAAD(typed.Message, got[0].Handle)); !errors.Is(err, crypt.ErrShredded) {
		t.Error(err)
	}
}
