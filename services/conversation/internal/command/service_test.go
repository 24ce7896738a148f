package command_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// asked is a domain in which Ada asked something by mail.
func asked(t *testing.T) (*domaintest.Domain, command.Order) {
	t.Helper()
	d := domaintest.New(t)
	err := d.Deliver("email", "support", "p1", channel.Message{
		ID: "m1", From: channel.Address{Kind: "email", Address: "Ada@X.org", Name: "Ada"},
		Content: channel.Content{Subject: "Order 7", Text: "where?"}, Refs: []string{"<m1@x>"}, References: []string{"<b@x>", "<a@x>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	conv := domaintest.Events[event.ConversationOpened](d)[0].Conversation
	return d, command.Order{Actor: "ag", Key: "k1", Conversation: conv}
}

func TestReplyGoesWhereItWasAskedAndThreads(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	r, err := d.Orders.SendReply(t.Context(), command.SendReply{
		Order: o, Text: "here", HTML: `<p onclick="x()">here</p><script>alert(1)</script>`, AuthorName: "Grace", Close: true, LastSeen: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Events[0].(event.ReplyRequested)
	got, err := seal.Open[event.ReplyBody](t.Context(), d.Keys, e.Body, event.ReplyAAD(r.Entry))
	want := event.ReplyBody{
		Content: channel.Content{Subject: "Re: Order 7", Text: "here", HTML: "<p>here</p>"},
		To:      channel.Address{Kind: "email", Address: "Ada@X.org", Name: "Ada"}, AuthorName: "Grace",
		InReplyTo: "<m1@x>", References: []string{"<a@x>", "<b@x>", "<m1@x>"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, ok := r.Events[1].(event.ConversationClosed); !ok || r.Commit.Seq == 0 || e.Reply != r.Entry {
		t.Errorf("result %+v", r)
	}
}

func TestTheSameKeyIsTheSameOrder(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	orders := map[string]func(command.Order) (command.Result, error){
		"reply": func(o command.Order) (command.Result, error) {
			return d.Orders.SendReply(t.Context(), command.SendReply{Order: o, Text: "x", LastSeen: 1, Force: true})
		},
		"note":   func(o command.Order) (command.Result, error) { return d.Orders.AddNote(t.Context(), o, "x") },
		"assign": func(o command.Order) (command.Result, error) { return d.Orders.Assign(t.Context(), o, "ag") },
		"status": func(o command.Order) (command.Result, error) {
			return d.Orders.SetStatus(t.Context(), o, customer.Pending, time.Time{})
		},
		"priority": func(o command.Order) (command.Result, error) { return d.Orders.SetPriority(t.Context(), o, "high") },
		"tag":      func(o command.Order) (command.Result, error) { return d.Orders.AddTag(t.Context(), o, "x") },
		"attribute": func(o command.Order) (command.Result, error) {
			return d.Orders.SetAttribute(t.Context(), o, "plan", "pro")
		},
		"start": func(o command.Order) (command.Result, error) {
			return d.Orders.StartConversation(t.Context(), command.StartConversation{Order: o, Kind: "email", Address: "bob@x.org", Inbox: "support", Subject: "s", Text: "t"})
		},
	}
	for name, order := range orders {
		first, err := order(o)
		if err != nil || first.Repeated || first.Commit.Seq == 0 {
			t.Fatalf("%s: %+v, %v", name, first, err)
		}
		again, err := order(o)
		if err != nil || !again.Repeated {
			t.Fatalf("%s again: repeated %v, %v", name, again.Repeated, err)
		}
		first.Repeated = true
		first.Commit.Prev, again.Commit.Prev = 0, 0 // where known
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
}

func TestOneOfManySendsAtOnce(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	o.Customer = customerOf(d)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: o, Text: "x", LastSeen: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(domaintest.Events[event.ReplyRequested](d)); n != 1 {
		t.Errorf("%d replies", n)
	}
}

func TestTwoAgentsDoNotAnswerPastEachOther(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	first, second := o, o
	second.Actor = "ag2"
	if _, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: first, Text: "a", LastSeen: 1}); err != nil {
		t.Fatal(err)
	}
	var changed *customer.ChangedError
	if _, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: second, Text: "b", LastSeen: 1}); !errors.As(err, &changed) || changed.Version != 2 {
		t.Fatalf("got %v", err)
	}
	if _, err := d.Orders.SendReply(t.Context(), command.SendReply{Order: second, Text: "b", LastSeen: 1, Force: true}); err != nil {
		t.Fatal(err)
	}
}

func TestWritingFirstIsAnsweredInTheSameConversation(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	r, err := d.Orders.StartConversation(t.Context(), command.StartConversation{
		Order: command.Order{Actor: "ag", Key: "k"}, Kind: "email", Address: "new@x.org", Inbox: "support", Subject: "Hello", Text: "t",
	})
	if err != nil {
		t.Fatal(err)
	}
	d.CatchUp()
	if err := d.Deliver("email", "support", "p1", channel.Message{ID: "m", From: channel.Address{Kind: "email", Address: "NEW@x.org"}}); err != nil {
		t.Fatal(err)
	}
	m := domaintest.Events[event.MessageReceived](d)[0]
	if m.Conversation != r.Conversation {
		t.Error("the answer is elsewhere")
	}
	// A second word before an answer inherits the subject of the conversation.
	again, err := d.Orders.SendReply(t.Context(), command.SendReply{
		Order: command.Order{Actor: "ag", Key: "2", Conversation: r.Conversation}, Text: "t",
	})
	if err != nil {
		t.Fatal(err)
	}
	e := again.Events[0].(event.ReplyRequested)
	b, err := seal.Open[event.ReplyBody](t.Context(), d.Keys, e.Body, event.ReplyAAD(e.Reply))
	if err != nil || b.Subject != "Re: Hello" {
		t.Errorf("subject %q, %v", b.Subject, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	ctx := t.Context()
	noKey, nowhere := o, o
	noKey.Key, nowhere.Conversation = "", "nowhere"
	start := command.StartConversation{Order: command.Order{Actor: "ag", Key: "k"}, Kind: "email", Address: "a@x.org", Inbox: "support", Text: "t"}
	with := func(edit func(*command.StartConversation)) command.StartConversation {
		s := start
		edit(&s)
		return s
	}
	for field, order := range map[string]func() (command.Result, error){
		"text": func() (command.Result, error) {
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: strings.Repeat("x", command.LimitText+1)})
		},
		"text ": func() (command.Result, error) {
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: " \n"})
		},
		"html": func() (command.Result, error) {
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: "x", HTML: strings.Repeat("x", command.LimitHTML+1)})
		},
		"html ": func() (command.Result, error) { // cleaned it has five bytes for each
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: "x", HTML: strings.Repeat("&", command.LimitHTML/4)})
		},
		"text  ": func() (command.Result, error) {
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: strings.Repeat("😀", command.LimitText), HTML: strings.Repeat("\n", command.LimitHTML)})
		},
		"attachments": func() (command.Result, error) {
			return d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: "x", Attachments: make([]channel.Attachment, 21)})
		},
		"idempotency_key": func() (command.Result, error) { return d.Orders.AddNote(ctx, noKey, "x") },
		"value":           func() (command.Result, error) { return d.Orders.SetAttribute(ctx, o, "a", strings.Repeat("x", 2001)) },
		"name":            func() (command.Result, error) { return d.Orders.SetAttribute(ctx, o, "A", "x") },
		"tag":             func() (command.Result, error) { return d.Orders.AddTag(ctx, o, strings.Repeat("x", 51)) },
		"priority":        func() (command.Result, error) { return d.Orders.SetPriority(ctx, o, "now") },
		"status":          func() (command.Result, error) { return d.Orders.SetStatus(ctx, o, "gone", time.Time{}) },
		"snoozed_until":   func() (command.Result, error) { return d.Orders.SetStatus(ctx, o, customer.Snoozed, d.Clock) },
		"assignee":        func() (command.Result, error) { return d.Orders.Assign(ctx, o, "not a token") },
		"inbox_id": func() (command.Result, error) {
			return d.Orders.StartConversation(ctx, with(func(s *command.StartConversation) { s.Inbox = "x" }))
		},
		"address": func() (command.Result, error) {
			return d.Orders.StartConversation(ctx, with(func(s *command.StartConversation) { s.Address = "a" }))
		},
		"kind": func() (command.Result, error) {
			return d.Orders.StartConversation(ctx, with(func(s *command.StartConversation) { s.Kind = "" }))
		},
		"subject": func() (command.Result, error) {
			return d.Orders.StartConversation(ctx, with(func(s *command.StartConversation) { s.Subject = "a\r\nBcc: b" }))
		},
	} {
		var got *customer.FieldError
		if _, err := order(); !errors.As(err, &got) || got.Field != strings.TrimSpace(field) || got.Problem == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	var absent *customer.NotFoundError
	if _, err := d.Orders.AddNote(ctx, nowhere, "x"); !errors.As(err, &absent) {
		t.Errorf("got %v", err)
	}
	if n := len(domaintest.Events[event.HandleClaimed](d)); n != 1 {
		t.Errorf("a refused order claimed an address: %d claims", n)
	}
}

func TestRetryAndWake(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	ctx := t.Context()
	r, err := d.Orders.SendReply(ctx, command.SendReply{Order: o, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	d.CatchUp()
	var refused *customer.RefusedError
	if _, err := d.Orders.RetryReply(ctx, o, r.Entry); !errors.As(err, &refused) {
		t.Errorf("retried what is on its way: %v", err)
	}
	until := d.Clock.Add(time.Hour)
	if _, err := d.Orders.SetStatus(ctx, o, customer.Snoozed, until); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Orders.Wake(ctx, "default", r.Customer, o.Conversation, until); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(domaintest.Events[event.ConversationWoken](d)); n != 1 {
		t.Errorf("woken %d times", n)
	}
}

func customerOf(d *domaintest.Domain) string {
	for _, c := range d.Commits() {
		if id, ok := strings.CutPrefix(c.Stream, "customer."); ok {
			return id
		}
	}
	return ""
}
