package event

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// Address is the clear form of HandleClaimed.Address.
type Address struct {
	Kind    string `json:"kind"`
	Scope   string `json:"scope,omitempty"`
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
}

// MessageBody is the clear form of MessageReceived.Body.
type MessageBody struct {
	channel.Content
	From     string   `json:"from,omitempty"`
	FromName string   `json:"from_name,omitempty"`
	Evidence string   `json:"evidence,omitempty"` // in the adapter's words; may name the sender, hence in here
	To       []string `json:"to,omitempty"`
	CC       []string `json:"cc,omitempty"`
	// ThreadIDs are the ids a reply must refer to: the message's own first
	// (email: Message-ID), then what it referred to, oldest first (email: References).
	ThreadIDs []string `json:"thread_ids,omitempty"`
	Thread    string   `json:"thread,omitempty"` // what the channel shows it under
}

// ChangeBody is the clear form of MessageChanged.Body.
type ChangeBody struct {
	channel.Content        // of edited: all of it as it is now
	Emoji           string `json:"emoji,omitempty"`
	From            string `json:"from,omitempty"`
	FromName        string `json:"from_name,omitempty"`
	Evidence        string `json:"evidence,omitempty"`
}

// ReplyBody is the clear form of ReplyRequested.Body.
type ReplyBody struct {
	channel.Content
	To         channel.Address `json:"to"`
	From       string          `json:"from,omitempty"` // the address of ours that the message answered was written to
	AuthorName string          `json:"author_name,omitempty"`
	InReplyTo  string          `json:"in_reply_to,omitempty"`
	References []string        `json:"references,omitempty"`
	// OccurredAt is when it was sent, where it was imported.
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	// Template is sent in place of Content, which says what the customer reads.
	Template *channel.Template `json:"template,omitempty"`
	Thread   string            `json:"thread,omitempty"` // of the message answered
}

// NoteBody is the clear form of NoteAdded.Body.
type NoteBody struct {
	Text string `json:"text"`
	// Of an imported note: when it was written, and by whom, where that is nobody here.
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	AuthorName string    `json:"author_name,omitempty"`
}

// EventBody is the clear form of EventRecorded.Body.
type EventBody struct {
	Title   string          `json:"title"`
	Link    string          `json:"link,omitempty"` // http or https
	Source  string          `json:"source,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"` // a JSON object, shown as it is
}

// UnitKey names the data key of a unit: one conversation, handle and tenure.
func UnitKey(conversation, handle string, tenure int64) string {
	return fmt.Sprintf("unit/%s/%s/%d", conversation, handle, tenure)
}

// CustomerKey names the data key of notes and attributes.
func CustomerKey(customer string) string { return "customer/" + customer }

// AddressKey names the data key of an address in one tenure.
func AddressKey(handle string, tenure int64) string {
	return fmt.Sprintf("address/%s/%d", handle, tenure)
}
