// Package history is what can be imported: what customers said and were told
// elsewhere, as records of a file of JSON lines. docs/import.md describes the
// file; converters (services/hub/importer) write it, the conversation service
// replays it.
package history

import (
	"encoding/json"
	"time"
)

// Version of the file format. It is in the first line.
const Version = 1

// Header is the first line.
type Header struct {
	Version int `json:"weftline_import"`
	// Source names where the history comes from: 1 to 64 of a-z A-Z 0-9 _ -.
	// With it the ids of the file are ids for ever: the same source and id are
	// the same thing, in every file.
	Source string `json:"source"`
}

// Types of records.
const (
	TypeCustomer     = "customer"
	TypeConversation = "conversation"
	TypeMessage      = "message"
	TypeNote         = "note"
	TypeEvent        = "event"
	TypeLink         = "link"
	TypeProblem      = "problem"
)

// Record is one line: exactly one field is set.
type Record struct {
	Customer     *Customer
	Conversation *Conversation
	Message      *Message
	Note         *Note
	Event        *Event
	Link         *Link
	Problem      *Problem
}

// Origin says where in the source a record was found, for error messages; empty
// means the line is its origin.
type Origin struct {
	Origin string `json:"origin,omitempty"`
}

// Handle is an address of a customer.
type Handle struct {
	Kind    string `json:"kind"` // email, phone, chat, external, …
	Address string `json:"address"`
	// Inbox where the address means something; empty for email and phone.
	Inbox string `json:"inbox,omitempty"`
	// Assurance is 0 to 2; for kind external also 4. Unset means 0.
	Assurance int `json:"assurance,omitempty"`
}

// Customer is somebody.
type Customer struct {
	Origin
	ID         string            `json:"id"`
	Name       string            `json:"name,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Handles    []Handle          `json:"handles,omitempty"`
	CreatedAt  time.Time         `json:"created_at,omitzero"`
}

// Conversation is how a conversation stands.
type Conversation struct {
	Origin
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Inbox    string `json:"inbox"`
	Channel  string `json:"channel"`
	// Number is the one of yours that was called or written to, with its country
	// code. It says how numbers without one are read.
	Number  string `json:"number,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Status is open, pending, snoozed or closed. Unset means closed.
	Status       string    `json:"status,omitempty"`
	SnoozedUntil time.Time `json:"snoozed_until,omitzero"`
	Assignee     string    `json:"assignee,omitempty"` // an agent's id here, or e-mail address
	Tags         []string  `json:"tags,omitempty"`
	Priority     string    `json:"priority,omitempty"` // low, normal, high, urgent
	// UpdatedAt is when it came to stand so. Unset: with its last line.
	UpdatedAt time.Time `json:"updated_at,omitzero"`

	source string // the inbox's name at the source, once Inbox is another
}

// Rename gives the conversation an inbox of the hub.
func (c *Conversation) Rename(inbox string) {
	c.source, c.Inbox = c.SourceInbox(), inbox
}

// SourceInbox is the inbox as the source names it.
func (c *Conversation) SourceInbox() string {
	if c.source != "" {
		return c.source
	}
	return c.Inbox
}

// Directions of a message.
const (
	In  = "in"
	Out = "out"
)

// Message is something the customer said, or was told.
type Message struct {
	Origin
	ID           string `json:"id"`
	Conversation string `json:"conversation"`
	Direction    string `json:"direction"` // in or out
	// Customer who wrote it (in) or got it (out), where that is not the conversation's.
	Customer string `json:"customer,omitempty"`
	// Handle is the customer's address it came from or went to. Unset: his first
	// of a kind that fits the channel.
	Handle *Handle   `json:"handle,omitempty"`
	At     time.Time `json:"at"`
	// Author of an out message: an agent's id here, or e-mail address. AuthorName
	// is the name the customer saw; of an in message the sender's.
	Author      string       `json:"author,omitempty"`
	AuthorName  string       `json:"author_name,omitempty"`
	Automatic   bool         `json:"automatic,omitempty"` // no person wrote it
	To          []string     `json:"to,omitempty"`
	CC          []string     `json:"cc,omitempty"`
	Subject     string       `json:"subject,omitempty"`
	Text        string       `json:"text,omitempty"`
	Quoted      string       `json:"quoted,omitempty"`
	HTML        string       `json:"html,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	// MessageID is the id by which answers refer to it (e-mail: Message-ID, with
	// its brackets or without), References what it refers to, oldest first.
	MessageID  string   `json:"message_id,omitempty"`
	References []string `json:"references,omitempty"`
	// ProviderID is the id its channel would give it here: with it a message is
	// the same as one that came in by the channel.
	ProviderID string   `json:"provider_id,omitempty"`
	Flags      []string `json:"flags,omitempty"` // auto_reply, bounce, list
}

// Attachment is a file: beside the import file, or inside the line.
type Attachment struct {
	Name        string `json:"name,omitempty"`
	ContentType string `json:"type,omitempty"`
	ContentID   string `json:"cid,omitempty"`
	Inline      bool   `json:"inline,omitempty"`
	File        string `json:"file,omitempty"` // relative to the import file
	Data        []byte `json:"data,omitempty"` // base64
	// Missing says why there is no content: its place was not readable.
	Missing string `json:"missing,omitempty"`
}

// Note is internal text.
type Note struct {
	Origin
	ID           string    `json:"id"`
	Conversation string    `json:"conversation"`
	At           time.Time `json:"at"`
	Author       string    `json:"author,omitempty"`
	AuthorName   string    `json:"author_name,omitempty"`
	Text         string    `json:"text"`
}

// Event is something that happened in the business.
type Event struct {
	Origin
	ID       string          `json:"id"`
	Source   string          `json:"source,omitempty"` // unset: the header's
	Customer string          `json:"customer"`
	Kind     string          `json:"kind"` // order.placed
	Title    string          `json:"title"`
	Link     string          `json:"link,omitempty"`
	Payload  json.RawMessage `json:"payload,omitempty"`
	At       time.Time       `json:"at"`
}

// Link says that two customers are one person.
type Link struct {
	Origin
	Customers []string  `json:"customers"` // two
	At        time.Time `json:"at,omitzero"`
}

// Problem is what a converter could not convert. It counts as a bad line.
type Problem struct {
	Origin
	Problem string `json:"problem"`
}
