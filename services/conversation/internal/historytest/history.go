// Package historytest makes histories for tests: valid streams of customers and
// handles in a memory store, sealed under real keys, one commit at a time.
package historytest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Tenant everything belongs to.
const Tenant = "default"

// TB is the part of testing.TB and rapid.T that is needed.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ TB = testing.TB(nil)

// History is a log being written. Not safe for concurrent use.
type History struct {
	Store *eventstore.Memory
	Keys  crypt.Keyring
	Now   time.Time // recorded_at of the next commit; every commit moves it on

	heads     map[string]uint64
	units     map[string]bool     // opened
	ties      map[string][]string // ids of suggestions, links and joins by stream
	n         int
	Customers []*Customer
	Links     []*Link
	Joins     []*Join
}

// Customer is what the history knows of one.
type Customer struct {
	ID            string
	Handles       []Handle
	Conversations []*Conversation
}

// Handle is an address of a customer.
type Handle struct {
	ID      string
	Address channel.Address
	Tenure  int64
	Since   time.Time // of the tenure
}

// Conversation is what the history knows of one.
type Conversation struct {
	ID       string
	Status   string
	Messages []Message
	Replies  []string
	States   map[string]string // delivery, by reply
}

// Message is one that can be answered.
type Message struct {
	ID     string
	Handle string
	Tenure int64
}

// New makes an empty history.
func New(partitions int, keys crypt.Keyring) *History {
	return &History{
		Store: eventstore.NewMemory(partitions), Keys: keys, heads: map[string]uint64{}, units: map[string]bool{},
		Now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
	}
}

// Append stores one commit with what the caller decided.
func (h *History) Append(t TB, stream, id, actor string, events ...event.Event) eventstore.Commit {
	t.Helper()
	recs, err := codec.Encode(events)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	h.Now = h.Now.Add(time.Duration(1+h.n%7) * time.Millisecond)
	c := eventstore.Commit{ID: id, RecordedAt: h.Now, Actor: actor, Records: recs}
	res := h.Store.Append(context.Background(), eventstore.Append{Tenant: Tenant, Stream: stream, Expect: h.heads[stream], Commit: c})[0]
	if res.Err != nil {
		t.Fatalf("append %s to %s: %v", id, stream, res.Err)
	}
	c.Stream, c.Tenant, c.Partition, c.Seq, c.Prev = stream, Tenant, res.Partition, res.Seq, h.heads[stream]
	h.heads[stream] = res.Seq
	return c
}

// ID makes the next id of a kind.
func (h *History) ID(kind string) string {
	h.n++
	return fmt.Sprintf("%s%06d", kind, h.n)
}

// Seal encrypts a value's JSON, or a string as it is.
func (h *History) Seal(t TB, key string, v any, aad []byte) crypt.Sealed {
	t.Helper()
	plain, isText := v.(string)
	b := []byte(plain)
	if !isText {
		var err error
		if b, err = json.Marshal(v); err != nil {
			t.Fatalf("marshal: %v", err)
		}
	}
	s, err := h.Keys.Seal(context.Background(), key, b, aad)
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return s
}

// Claim makes a customer own a new handle, and attaches it when the customer exists.
func (h *History) Claim(t TB, c *Customer, a channel.Address) Handle {
	t.Helper()
	id := handleid.Of(h.Keys, a)
	h.Append(t, "handle."+id, "claim:"+id+":1", "customer", event.HandleClaimed{
		Tenure: 1, Customer: c.ID, Kind: a.Kind, Scope: a.Scope, Assurance: 1,
		Address: h.Seal(t, event.AddressKey(id, 1), event.Address{Kind: a.Kind, Scope: a.Scope, Address: a.Address, Name: a.Name}, event.AddressAAD(id, 1)),
	})
	hd := Handle{ID: id, Address: a, Tenure: 1, Since: h.Now}
	c.Handles = append(c.Handles, hd)
	return hd
}

// Meet makes a new customer whose first message opens a conversation.
func (h *History) Meet(t TB, a channel.Address, subject, text string) *Customer {
	t.Helper()
	c := &Customer{ID: h.ID("cu")}
	h.Customers = append(h.Customers, c)
	hd := h.Claim(t, c, a)
	conv := &Conversation{ID: h.ID("co"), Status: "open"}
	c.Conversations = append(c.Conversations, conv)
	m := h.message(t, conv, hd, subject, text)
	h.Append(t, "customer."+c.ID, "msg:"+m.Message, "customer",
		event.CustomerCreated{},
		event.HandleAttached{Handle: hd.ID, Kind: a.Kind, Tenure: 1},
		event.ConversationOpened{
			Conversation: conv.ID, Topic: conv.ID, Inbox: "support", Channel: a.Kind,
			Subject: h.Seal(t, m.Unit, subject, event.SubjectAAD(conv.ID)),
		}, m)
	return c
}

func (h *History) message(t TB, conv *Conversation, hd Handle, subject, text string) event.MessageReceived {
	t.Helper()
	id := h.ID("me")
	unit := event.UnitKey(conv.ID, hd.ID, hd.Tenure)
	conv.Messages = append(conv.Messages, Message{ID: id, Handle: hd.ID, Tenure: hd.Tenure})
	return event.MessageReceived{
		UnitOpened: h.opened(unit), Message: id, Conversation: conv.ID, Handle: hd.ID, Tenure: hd.Tenure, Channel: hd.Address.Kind, Inbox: "support",
		OccurredAt: h.Now, Unit: unit, Assurance: 1, Raw: "in/0/" + id, Refs: []string{"ref" + id}, ClientID: "client-" + id,
		Body: h.Seal(t, unit, event.MessageBody{
			Content: channel.Content{Subject: subject, Text: text}, From: hd.Address.Address, FromName: hd.Address.Name,
		}, event.MessageAAD(id)),
	}
}

// opened is the time of a unit's first message, nil for a later one.
func (h *History) opened(unit string) *time.Time {
	if h.units[unit] {
		return nil
	}
	h.units[unit] = true
	at := h.Now
	return &at
}

// Say appends a message over a handle of the customer, reopening the conversation when needed.
func (h *History) Say(t TB, c *Customer, conv *Conversation, hd Handle, text string) eventstore.Commit {
	t.Helper()
	m := h.message(t, conv, hd, "", text)
	evs := []event.Event{m}
	if conv.Status != "open" {
		evs = append(evs, event.ConversationReopened{Conversation: conv.ID, By: m.Message})
		conv.Status = "open"
	}
	return h.Append(t, "customer."+c.ID, "msg:"+m.Message, "customer", evs...)
}

// Reply answers the last message of the conversation.
func (h *History) Reply(t TB, c *Customer, conv *Conversation, agent, text string) (string, eventstore.Commit) {
	t.Helper()
	id, m := h.ID("re"), conv.Messages[len(conv.Messages)-1]
	unit := event.UnitKey(conv.ID, m.Handle, m.Tenure)
	conv.Replies = append(conv.Replies, id)
	return id, h.Append(t, "customer."+c.ID, "reply:"+id, agent, event.ReplyRequested{
		Reply: id, Conversation: conv.ID, Answers: m.ID, Handle: m.Handle, Tenure: m.Tenure, Channel: "email", Inbox: "support",
		Unit: unit, UnitOpened: h.opened(unit), Author: agent,
		Body: h.Seal(t, unit, event.ReplyBody{
			Content: channel.Content{Text: text}, To: channel.Address{Address: "to@" + m.Handle}, AuthorName: "Agent " + agent,
		}, event.ReplyAAD(id)),
	})
}

// Progress says what became of a reply.
func (h *History) Progress(t TB, c *Customer, conv *Conversation, reply, state string) eventstore.Commit {
	t.Helper()
	unit := event.UnitKey(conv.ID, conv.Messages[0].Handle, conv.Messages[0].Tenure)
	if conv.States == nil {
		conv.States = map[string]string{}
	}
	conv.States[reply] = state
	return h.Append(t, "customer."+c.ID, h.ID("receipt:"+reply+":"+state+":"), "system", event.ReplyProgressed{
		Reply: reply, Conversation: conv.ID, State: state, At: h.Now, Refs: []string{"ref" + reply},
		Detail: h.Seal(t, unit, "it is "+state, event.DetailAAD(reply)),
	})
}

// Note adds an internal note.
func (h *History) Note(t TB, c *Customer, conv *Conversation, agent, text string) eventstore.Commit {
	t.Helper()
	id := h.ID("no")
	return h.Append(t, "customer."+c.ID, "note:"+id, agent, event.NoteAdded{
		Note: id, Conversation: conv.ID, Body: h.Seal(t, event.CustomerKey(c.ID), event.NoteBody{Text: text}, event.NoteAAD(id)),
	})
}

// Do appends one event of an agent's to the customer's stream.
func (h *History) Do(t TB, c *Customer, agent string, events ...event.Event) eventstore.Commit {
	t.Helper()
	return h.Append(t, "customer."+c.ID, h.ID("cmd:"), agent, events...)
}
