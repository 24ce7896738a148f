package channel

import (
	"context"
	"time"
)

// Outbound is a message to send.
type Outbound struct {
	ID           string // reply id: stable over retries; the idempotency key
	Tenant       string
	Channel      string
	Inbox        string
	Customer     string
	Conversation string
	Position     string // position in the customer's transcript; opaque, sorts
	To           Address
	// From is the first of Message.To of the message answered, empty where there
	// is none: the address of ours it was written to, where the channel has several.
	From       string
	Subject    string
	Content    Content
	Author     string // id of the agent or machine that wrote it, as the hub names it
	AuthorName string // shown to the customer
	At         time.Time

	// InReplyTo and References thread it where the channel can (email: Message-IDs, oldest first).
	InReplyTo  string
	References []string
	// Automatic: no human wrote it. Adapters mark it so (Auto-Submitted) and never loop.
	Automatic bool
	// Attempt counts from 1. Greater than 1 with Unknown set: the earlier outcome is not known.
	Attempt int
	Unknown bool

	// Template, where set, is sent instead of Content, which then says what the
	// customer will read. Only for channels with Capabilities.Templates.
	Template *Template
	// Thread is that of the message answered.
	Thread string
}

// Template is a text that the provider has approved beforehand.
type Template struct {
	Name     string   `json:"name"`
	Language string   `json:"language"` // BCP 47, as registered with the provider
	Values   []string `json:"values,omitempty"`
}

// TemplateText is an approved text as it reads, with its places to fill:
// {{1}} to {{Places}} in Body.
type TemplateText struct {
	Name, Language, Category string // Language in BCP 47
	Header, Body, Footer     string
	Places                   int
	Examples                 []string // what the provider was shown for each place; may be fewer
	// Unusable says why it cannot be sent as a Template (a picture in its head); "": it can.
	Unusable string
}

// Templater lists the texts that a provider has approved. It is for channels
// with Capabilities.Templates, and may answer from what it heard some minutes ago.
type Templater interface {
	// Templates fails with ErrNoTemplates where there are none and never will be
	// with the inbox's settings.
	Templates(ctx context.Context, inbox string) ([]TemplateText, error)
}

// Sender sends. A Receipt with StateSent, StateFailed or StateUnknown ends the
// matter; an error is temporary: the hub retries with backoff, in order per handle
// (errors.As RetryAfterError to choose the delay). Send must respect ctx.
type Sender interface {
	Send(ctx context.Context, out Outbound) (Receipt, error)
}

// Looker asks the provider what became of a send whose answer was lost. The
// hub asks before it sends again.
type Looker interface {
	// Look returns the receipt of an earlier attempt that arrived, a receipt
	// without a State when the provider is certain that none did (then it is sent again), and
	// an error when that is not known now; after a while the hub gives up and shows it as unknown.
	Look(ctx context.Context, out Outbound) (Receipt, error)
}

// Typist shows the customer that somebody is typing. Nothing depends on it.
type Typist interface {
	// Typing is repeated while it lasts, a second before Capabilities.TypingLasts is over, and
	// called once with on false at its end. to has kind and address. Errors are counted.
	Typing(ctx context.Context, inbox string, to Address, on bool) error
}
