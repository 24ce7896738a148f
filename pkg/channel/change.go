package channel

import "time"

// Action is what was done to a message.
type Action string

// The actions.
const (
	Edited    Action = "edited"
	Deleted   Action = "deleted"
	Reacted   Action = "reacted"   // From's reaction is Emoji now
	Unreacted Action = "unreacted" // From takes Emoji back; empty: all of his
)

// Change is something a person did to a message that is there already, or that
// has not come yet: providers do not keep the order. The hub stores it when it comes and
// shows it on its message as soon as that is known.
type Change struct {
	// ID is unique in the inbox for ever, like Message.ID; deduplicates. A provider
	// without one: make it of target, action, time and content.
	ID   string
	From Address // who did it; the rules of Message.From
	// Target is one of the message's Refs, or the ProviderID in the Receipt of one we sent.
	Target     string
	Action     Action
	Content    Content // of Edited: all of it as it is now
	Emoji      string  // of Reacted and Unreacted: one emoji, or the provider's short name
	OccurredAt time.Time

	Assurance int
	Evidence  string
}

// ConsentWish is what a sender said about being written to.
type ConsentWish string

// The wishes.
const (
	OptOut ConsentWish = "out" // nothing more is sent to this handle over this inbox, except the confirmation the law asks for
	OptIn  ConsentWish = "in"
	// OptOutUnasked: nothing more that he did not ask for. What he writes from then on may be answered.
	OptOutUnasked ConsentWish = "out_unasked"
)
