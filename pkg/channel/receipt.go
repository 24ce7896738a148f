package channel

import "time"

// State is what became of an outbound message.
type State string

// The states, weakest first; a later receipt never moves a message backwards.
const (
	StateRetrying  State = "retrying"
	StateUnknown   State = "unknown"
	StateSent      State = "sent"
	StateDelivered State = "delivered"
	StateRead      State = "read"
	StateFailed    State = "failed"
)

// Receipt is what the channel says about an outbound message.
type Receipt struct {
	Tenant   string
	Channel  string
	Inbox    string
	Outbound string // Outbound.ID
	// To is set instead of Outbound by networks that tell a point in time only:
	// everything that went to this address until At is in State (delivered or
	// read). It waits a moment for sends under way; what is not noted as sent by
	// then is left to the next such receipt.
	// Only parsed items have it; Intake.Report refuses it.
	To Address `json:",omitzero"`
	// Customer is Outbound.Customer where known; empty for receipts that come
	// from the provider alone, then the hub looks it up.
	Customer   string
	State      State
	ProviderID string // id the provider (or we) gave the message: email Message-ID
	Detail     string // the channel's own words, for people; no addresses of third parties
	At         time.Time
	// Attempt is the Outbound.Attempt it is about; 0 where that is not known.
	Attempt int
}
