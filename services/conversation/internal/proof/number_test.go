package proof_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
)

var (
	inChat = channel.Address{Kind: "chat", Scope: "widget", Address: "v1"}
	number = channel.Address{Kind: "phone", Address: "+4915123456789"}
)

// says has somebody write over a channel.
func (w *world) says(t testing.TB, from channel.Address, id string, more ...func(*channel.Message)) {
	t.Helper()
	ch, inbox := "chat", "widget"
	if from.Kind == "phone" {
		ch, inbox = "sms", "texts"
	}
	m := channel.Message{ID: id, From: from, OccurredAt: w.Clock, Content: channel.Content{Text: id}, Assurance: 2}
	for _, f := range more {
		f(&m)
	}
	if err := w.Deliver(ch, inbox, id, m); err != nil {
		t.Fatal(err)
	}
}

// claims is the flag and the handle of an address that was typed.
func claims(m *channel.Message) {
	m.ClaimsHandle, m.Flags = &number, []string{"offline_capture"}
}

func (w *world) asks(t testing.TB) proof.Status {
	t.Helper()
	st, err := w.Start(t.Context(), proof.Request{Via: &inChat, Address: number, Inbox: "texts", Actor: "customer"})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A number nobody has is the visitor's once he has proven it: what it texts
// joins the conversation that he began in the chat, though no text carries a reference.
func TestAProvenNumberTextsIntoTheConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, inChat, "hello")
	w.says(t, inChat, "typed", claims)
	if own := w.owner(t, number); own.Owned() {
		t.Fatalf("what was typed is %+v", own.State)
	}
	st := w.asks(t)
	if a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: w.secret(st.ID), Via: &inChat}); err != nil || !a.Proven || a.Link != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	w.says(t, number, "by SMS")
	ada := w.owner(t, inChat).Customer
	if own := w.owner(t, number); own.Customer != ada || own.Assurance != proof.Level {
		t.Errorf("the number is %+v, the chat %s", own.State, ada)
	}
	opened, received := len(domaintest.Events[event.ConversationOpened](w.Domain)), len(domaintest.Events[event.MessageReceived](w.Domain))
	if opened != 1 || received != 3 {
		t.Errorf("%d conversations with %d messages", opened, received)
	}
}

// A number that texted STOP gets no code over the inbox that it texted, and gets one
// after START. An agent is told; whoever typed it in a chat is answered as ever.
func TestANumberThatSaidStopGetsNoCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, inChat, "hello")
	w.says(t, number, "STOP", func(m *channel.Message) { m.Consent = channel.OptOut })
	ask := proof.Request{Via: &inChat, Address: number, Inbox: "texts", Actor: "customer"}
	if st, err := w.Start(t.Context(), ask); err != nil || st.State != proof.Open || len(w.out) != 0 {
		t.Fatalf("after STOP: %+v, %v, sent: %+v", st, err, w.out)
	}
	own := w.owner(t, number)
	for field, q := range map[string]proof.Request{
		"handle_id": {Customer: own.Customer, Handle: own.ID, Inbox: "texts", Actor: "ada"},
		"address":   {Customer: own.Customer, Address: number, Inbox: "texts", Actor: "ada"},
	} {
		_, err := w.Start(t.Context(), q)
		out, ok := errors.AsType[*proof.OptedOutError](err)
		if !ok || out.Field != field || out.Inbox != "texts" || out.Reason != customer.OptedOut || out.At.IsZero() || !strings.HasPrefix(err.Error(), field+": opted out on ") {
			t.Errorf("an agent, after STOP: %v", err)
		}
	}
	if len(w.out) != 0 {
		t.Fatalf("sent all the same: %+v", w.out)
	}
	ask.Inbox = "another" // which he has not written to
	if _, err := w.Start(t.Context(), ask); err != nil || len(w.out) != 1 {
		t.Errorf("over another inbox: %v", err)
	}
	w.says(t, number, "START", func(m *channel.Message) { m.Consent = channel.OptIn })
	ask.Inbox = "texts"
	if _, err := w.Start(t.Context(), ask); err != nil || len(w.out) != 2 {
		t.Errorf("after START: %v", err)
	}
}

// Until it is proven, what the number texts is its owner's: it is no answer of the visitor's.
func TestATypedNumberStaysWithWhoTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, inChat, "hello")
	w.says(t, inChat, "typed", claims)
	st := w.asks(t)
	if a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: wrong(w.secret(st.ID)), Via: &inChat}); err != nil || a.Proven {
		t.Fatalf("%+v, %v", a, err)
	}
	w.says(t, number, "who are you?")
	if own := w.owner(t, number); own.Customer == w.owner(t, inChat).Customer || own.Assurance != 2 {
		t.Errorf("the number is %+v", own.State)
	}
	if n := len(domaintest.Events[event.ConversationOpened](w.Domain)); n != 2 || len(w.links) > 0 {
		t.Errorf("%d conversations, links %v", n, w.links)
	}
}

// Somebody else's number stays his, whatever is proven, and what it texts his
// own: that the two are one person is for the rules to say.
func TestAnothersNumberIsLinkedAndStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, number, "my medicine")
	bob := w.owner(t, number).Customer
	w.says(t, inChat, "hello")
	st := w.asks(t)
	a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: w.secret(st.ID), Via: &inChat})
	if err != nil || !a.Proven || a.Owner != bob || len(w.links) != 1 || w.links[0].B != bob || w.links[0].Kind != "phone" {
		t.Fatalf("%+v, %v, %v", a, w.links, err)
	}
	w.says(t, number, "thanks")
	if own := w.owner(t, number); own.Customer != bob || own.Tenure != 1 || w.owner(t, inChat).Customer == bob {
		t.Errorf("the number is %+v", own.State)
	}
	if n := len(domaintest.Events[event.ConversationOpened](w.Domain)); n != 2 {
		t.Errorf("%d conversations", n)
	}
}
