package channel

import (
	"context"
	"time"
)

// Raw is what arrived, untouched. It is stored before anything reads it.
type Raw struct {
	Tenant  string // "" means the default tenant
	Channel string // "email", "chat", …: a subject token
	Inbox   string // id of the configured inbox: a subject token

	// ProviderID is the provider's id of this input, unique in the inbox for
	// ever (email: folder, UIDVALIDITY and UID; chat: visitor and client message id).
	// Accepting the same one again is a success and stores nothing visible.
	ProviderID string

	// Peek is the sender's address where a cheap, guarded look finds one; it
	// orders: inputs of one peek are handled one after the other. It never
	// leaves the process in clear (subjects carry its keyed hash). Empty: the
	// ProviderID orders.
	Peek Address

	ReceivedAt time.Time
	// ContentType names the format for Parse: "message/rfc822", "application/vnd.weftline.chat+json".
	ContentType string
	Body        []byte // at most 50 MiB

	// Via is what the adapter itself saw of the way an input came, where the body does
	// not say it or the sender wrote it: who connected, the envelope of a mail. Kept with
	// the body and as secret. Keys and values are the adapter's; at most 16 KiB in all.
	Via map[string]string
}

// Address names one end of a channel as its provider does.
type Address struct {
	Kind    string // "email", "phone", "chat": handles are unique per (kind, scope, normalised address)
	Address string
	// Scope is the inbox id for addresses that mean something only there
	// (a chat visitor), empty for global ones (email, phone).
	Scope string
	Name  string // display name, a claim
}

// Intake takes what arrived. When Accept returns nil every input is on disk
// and may be acknowledged to the provider; otherwise none may, and all may be
// offered again. Safe for concurrent use.
type Intake interface {
	Accept(ctx context.Context, inputs ...Raw) error
	// Report says what became of an outbound message. Durable like Accept.
	Report(ctx context.Context, receipts ...Receipt) error
}
