package forward_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// world is what a Service is told of the rest.
type world struct {
	handles  map[string]handle.State // by address
	persons  map[string][]string
	states   map[string]customer.State
	optedOut bool
	own      bool
	lines    []*channelv1.ListMessagesResponse_Item
	asked    *channelv1.ListMessagesRequest
	sent     []channel.Outbound
	keys     []string
	recorded []string
	titles   []string
	recErr   error
}

func (w *world) Publish(_ context.Context, key string, out channel.Outbound) error {
	w.sent, w.keys = append(w.sent, out), append(w.keys, key)
	return nil
}

func newWorld() *world {
	return &world{
		handles: map[string]handle.State{
			"v1":              {Customer: "ada", Tenure: 1, Assurance: 3},
			"ada@example.org": {Customer: "ada", Tenure: 1, Assurance: 3},
		},
		persons: map[string][]string{"ada": {"ada"}},
		states:  map[string]customer.State{"ada": {ID: "ada", Exists: true}, "bob": {ID: "bob", Exists: true}},
		lines: []*channelv1.ListMessagesResponse_Item{
			{Id: "m1", Position: "1", Direction: inboxv1.Direction_DIRECTION_INBOUND, Text: "My kettle leaks."},
			{Id: "r1", Position: "2", Direction: inboxv1.Direction_DIRECTION_OUTBOUND, Text: "Since when?", AuthorName: "Grace", Delivery: inboxv1.DeliveryState_DELIVERY_STATE_READ},
			{Id: "r2", Position: "3", Direction: inboxv1.Direction_DIRECTION_OUTBOUND, Text: "Send it back.", AuthorName: "Grace", Attachments: []*inboxv1.Attachment{{Name: "label.pdf"}}},
		},
	}
}

func (w *world) service() *forward.Service {
	return &forward.Service{Deps: forward.Deps{
		Handle: func(_ context.Context, _ string, a channel.Address) (claim.Owned, error) {
			return claim.Owned{ID: "h:" + a.Address, State: w.handles[a.Address]}, nil
		},
		Customer: func(_ context.Context, _, id string) (customer.State, error) { return w.states[id], nil },
		Members:  func(id string) []string { return w.persons[id] },
		OptedOut: func(context.Context, string, string) (bool, error) { return w.optedOut, nil },
		Transcript: func(_ context.Context, q *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error) {
			w.asked = q
			return &channelv1.ListMessagesResponse{Items: w.lines}, nil
		},
		Owner: func(_ context.Context, _, reply string) (string, error) {
			if reply == "r2" {
				return "ada", nil
			}
			return "", nil
		},
		Reach: func(inbox, kind string) (string, error) {
			switch {
			case inbox == "support" && kind == "email":
				return "email", nil
			case inbox == "texts" && kind == "phone":
				return "sms", nil
			}
			return "", &customer.FieldError{Field: "inbox_id", Problem: "cannot"}
		},
		Own:       func(channel.Address) bool { return w.own },
		InboxName: func(string) string { return "Shop" },
		Record: func(_ context.Context, _, id, key, kind, title string) error {
			w.recorded = append(w.recorded, id+" "+key+" "+kind)
			w.titles = append(w.titles, title)
			return w.recErr
		},
		Outbox: w, Now: func() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	}}
}

func request() forward.Request {
	return forward.Request{
		Via: channel.Address{Kind: "chat", Scope: "shop", Address: "v1"}, To: channel.Address{Kind: "email", Address: "ada@example.org"}, Inbox: "support",
	}
}

// Nothing goes to an address that is not shown to be his now.
func TestWhereNothingGoes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *forward.Request){
		"nobody's address": func(w *world, _ *forward.Request) { delete(w.handles, "ada@example.org") },
		"only typed":       func(w *world, _ *forward.Request) { w.handles["ada@example.org"] = handle.State{Customer: "ada"} },
		"only seen on a mail": func(w *world, _ *forward.Request) {
			w.handles["ada@example.org"] = handle.State{Customer: "ada", Assurance: 2}
		},
		"somebody else's, and proven": func(w *world, _ *forward.Request) {
			w.handles["ada@example.org"] = handle.State{Customer: "bob", Assurance: 4}
		},
		"a sender who was refuted": func(w *world, _ *forward.Request) {
			w.handles["ada@example.org"] = handle.State{Customer: "ada", Assurance: 3, Scope: channel.ScopeUnverified}
		},
		"nobody speaks over the chat": func(w *world, _ *forward.Request) { delete(w.handles, "v1") },
		"one of our own mailboxes":    func(w *world, _ *forward.Request) { w.own = true },
		"erased": func(w *world, _ *forward.Request) {
			w.states["ada"] = customer.State{ID: "ada", Exists: true, Erased: "e1"}
		},
		"an inbox that cannot": func(_ *world, q *forward.Request) { q.Inbox = "shop" },
		"he opted out of it":   func(w *world, _ *forward.Request) { w.optedOut = true },
		"the address opted out of it": func(w *world, _ *forward.Request) {
			w.states["ada"] = customer.State{ID: "ada", Exists: true, Handles: []customer.Handle{{ID: "h:ada@example.org", Tenure: 1, Inboxes: []customer.Reach{{Inbox: "support", Out: true}}}}}
		},
	} {
		w, q := newWorld(), request()
		change(w, &q)
		_, err := w.service().Transcript(t.Context(), q)
		_, refused := errors.AsType[*customer.RefusedError](err)
		_, unreachable := errors.AsType[*customer.UnreachableError](err)
		_, field := errors.AsType[*customer.FieldError](err)
		if !refused && !unreachable && !field {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.service().Replies(t.Context(), q, "", ""); err == nil {
			t.Errorf("%s: replies go", name)
		}
		if len(w.sent) > 0 || w.asked != nil {
			t.Errorf("%s: sent %v, read %v", name, w.sent, w.asked)
		}
	}
}

func TestTheSamePersonIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.handles["ada@example.org"] = handle.State{Customer: "bea", Assurance: 3}
	w.states["bea"] = customer.State{ID: "bea", Exists: true}
	w.persons["ada"] = []string{"ada", "bea"}
	if _, err := w.service().Transcript(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	if w.sent[0].Customer != "ada" || w.keys[0] != event.CustomerKey("ada") {
		t.Errorf("%+v under %v", w.sent[0], w.keys)
	}
}

func TestCopies(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.service()
	q := request()
	q.Language = "de"
	n, err := s.Replies(t.Context(), q, "1", "3")
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if d := cmp.Diff([]string{"1", "3", "v1", "shop"}, []string{w.asked.GetAfter(), w.asked.GetAtLeast(), w.asked.GetAddress(), w.asked.GetInboxId()}); d != "" {
		t.Error(d)
	}
	replies := w.sent[0]
	want := channel.Outbound{
		ID: "copy_r2", Tenant: "default", Channel: "email", Inbox: "support", Customer: "ada",
		To: channel.Address{Kind: "email", Address: "ada@example.org"}, Subject: "Ihr Chat mit Shop", AuthorName: "Grace", At: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Content: channel.Content{Text: "Sie hatten den Chat mit Shop verlassen. Das ist unsere Antwort:\n\nSend it back.\n[label.pdf]\n\n-- \nSie können auf diese Nachricht antworten: Die Antwort kommt im selben Gespräch an."},
	}
	if d := cmp.Diff(want, replies); d != "" {
		t.Error(d)
	}
	// The same again is the same mail; a transcript is each time another one.
	if _, err := s.Replies(t.Context(), q, "1", "3"); err != nil || w.sent[1].ID != replies.ID {
		t.Errorf("%q, %v", w.sent[1].ID, err)
	}
	for range 2 {
		if n, err := s.Transcript(t.Context(), request()); err != nil || n != 3 {
			t.Fatal(n, err)
		}
	}
	whole := w.sent[2]
	if whole.ID == w.sent[3].ID || forward.Reply(whole.ID) != "r2" || !whole.Automatic || replies.Automatic || whole.AuthorName != "" {
		t.Errorf("%+v", whole)
	}
	for _, part := range []string{"You:\nMy kettle leaks.", "Grace:\nSince when?", "Grace:\nSend it back.\n[label.pdf]"} {
		if !strings.Contains(whole.Content.Text, part) {
			t.Errorf("%q is missing in %q", part, whole.Content.Text)
		}
	}
	for id, reply := range map[string]string{"copy_r2": "r2", "copy_r2_0a1b": "r2", "copy_0_0a1b": "0", "abc": "abc", "proof_x": "proof_x", "": ""} {
		if got := forward.Reply(id); got != reply {
			t.Errorf("%q answers %q, want %q", id, got, reply)
		}
	}
}

func TestNothingSaidIsNothingSent(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.lines = w.lines[:2] // what we said was read
	if n, err := w.service().Replies(t.Context(), request(), "", ""); n != 0 || err != nil {
		t.Error(n, err)
	}
	w.lines = nil
	if n, err := w.service().Transcript(t.Context(), request()); n != 0 || err != nil {
		t.Error(n, err)
	}
	if len(w.sent) > 0 {
		t.Errorf("%v", w.sent)
	}
}

func TestVeryLongChatsKeepTheirEnd(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.lines = nil
	for range 200 {
		w.lines = append(w.lines, &channelv1.ListMessagesResponse_Item{Text: strings.Repeat("x", 10_000)})
	}
	w.lines = append(w.lines, &channelv1.ListMessagesResponse_Item{Text: "the end"})
	if _, err := w.service().Transcript(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	text := w.sent[0].Content.Text
	if len(text) > 256<<10 || !strings.Contains(text, "the end") || !strings.Contains(text, "\n…\n") {
		t.Errorf("%d bytes", len(text))
	}
}

func TestReceiptsOfCopies(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.service()
	for _, r := range []channel.Receipt{
		{Outbound: "copy_r2", Customer: "ada", State: channel.StateRetrying},
		{Outbound: "copy_r2", Customer: "ada", State: channel.StateSent},
		{Outbound: "copy_r2", State: channel.StateFailed}, // a bounce knows no customer
		{Outbound: "copy_r2_0a", Customer: "ada", State: channel.StateSent},
		{Outbound: "copy_r9", State: channel.StateFailed}, // nobody knows it any more
	} {
		if err := s.Receipt(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	want := []string{"ada copy_r2/sent chat.continued", "ada copy_r2/failed chat.continued_failed", "ada copy_r2_0a/sent chat.transcript"}
	if d := cmp.Diff(want, w.recorded); d != "" {
		t.Error(d)
	}
	w.recErr = &customer.ErasedError{}
	if err := s.Receipt(t.Context(), channel.Receipt{Outbound: "copy_r2", Customer: "ada", State: channel.StateSent}); err != nil {
		t.Errorf("an erased customer: %v", err)
	}
	w.recErr = errors.New("busy")
	if err := s.Receipt(t.Context(), channel.Receipt{Outbound: "copy_r2", Customer: "ada", State: channel.StateSent}); err == nil {
		t.Error("what cannot be stored now is lost")
	}
}
