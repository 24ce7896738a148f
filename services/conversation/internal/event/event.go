// Package event is everything that can have happened: the stored vocabulary of
// the customer and handle streams. Names and fields here are for ever; change
// them only by a new version with an upcaster and a golden file.
package event

import (
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
)

// Event is closed: only this package's types are events.
type Event interface{ event() }

// ---- handle.<hash> ----

// HandleClaimed gives an unowned handle to a customer and begins a tenure.
// Commit id: claim:<handle>:<tenure>. The customer is read back after a crash.
type HandleClaimed struct {
	Tenure    int64        `json:"tenure"`
	Customer  string       `json:"customer"`
	Kind      string       `json:"kind"`
	Scope     string       `json:"scope,omitempty"`
	Address   crypt.Sealed `json:"address"` // under AddressKey(handle, tenure); JSON of Address
	Assurance int          `json:"assurance"`
	Evidence  Evidence     `json:"evidence"`
	// Match are keyed hashes of folded forms of the address (plus tags, dots,
	// national variants). Equal ones suggest, they never link.
	Match []string `json:"match,omitempty"`
}

// HandleMoved gives a handle to another customer: the next tenure. Commit id: the move id.
type HandleMoved struct {
	MoveID    string    `json:"move_id"`
	Tenure    int64     `json:"tenure"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	ValidFrom time.Time `json:"valid_from"` // not before the one of the tenure that ends, if a move began that
	Reason    string    `json:"reason,omitempty"`
	Refuses   []string  `json:"refuses,omitempty"` // evidence ids the agent saw: older proofs count no more
	// Address is the same address, sealed anew under AddressKey(handle, tenure):
	// erasing the former owner must not take it from the new one.
	Address crypt.Sealed `json:"address"`
}

// HandleReleased ends a tenure without a new owner.
type HandleReleased struct {
	Tenure  int64     `json:"tenure"`
	EraseID string    `json:"erase_id,omitempty"`
	Seen    []string  `json:"seen,omitempty"` // keyed hashes
	CutOff  time.Time `json:"cut_off"`
	Started []string  `json:"started,omitempty"` // keyed hashes of orders to write first that were carried out
}

// HandleRemembered keeps known what an erased former owner had over a handle
// that is not, or no more, his: before anything of his goes. Nothing of it says
// what was said. Commit id: remember:<handle>:<tenure>.
type HandleRemembered struct {
	Tenure  int64     `json:"tenure"` // his last one
	EraseID string    `json:"erase_id,omitempty"`
	Seen    []string  `json:"seen,omitempty"`    // messages: keyed hashes, oldest first
	Started []string  `json:"started,omitempty"` // as in HandleReleased
	CutOff  time.Time `json:"cut_off,omitzero"`  // as in HandleReleased, where Seen has not all of them
}

// HandleAssured raises the level of a handle by new evidence.
type HandleAssured struct {
	Assurance int      `json:"assurance"`
	Evidence  Evidence `json:"evidence"`
}

// Evidence says what a claim or a link rests on. References only, no values.
type Evidence struct {
	Kind   string `json:"kind,omitempty"`   // new, login, reply_token, attested, code
	Handle string `json:"handle,omitempty"` // the handle the sender was shown to control
	Tenure int64  `json:"tenure,omitempty"`
	Unit   string `json:"unit,omitempty"`
	ID     string `json:"id,omitempty"` // message or proof id
}

// ---- customer.<id> ----

// CustomerCreated is the first event of a customer.
type CustomerCreated struct{}

// HandleAttached lets messages of a tenure in.
type HandleAttached struct {
	Handle string   `json:"handle"`
	Kind   string   `json:"kind"`
	Tenure int64    `json:"tenure"`
	Seen   []string `json:"seen,omitempty"` // message ids handed over by a former owner
	// Forgot: the former owner had forgotten older ids, so that a message that is
	// not among Seen may be known all the same: the timeline is asked. It has
	// everything the former owner ever took in when this is appended.
	Forgot bool `json:"forgot,omitempty"`
	// Reach is what former owners' streams say of whether it may be written to.
	Reach []Reached `json:"reach,omitempty"`
}

// Reached is whether and how long a handle may be written to over an inbox.
type Reached struct {
	Inbox   string    `json:"inbox"`
	LastAt  time.Time `json:"last_at,omitzero"` // of his last message
	Out     bool      `json:"out,omitempty"`
	OutAt   time.Time `json:"out_at,omitzero"`
	Message string    `json:"message,omitempty"`
	Unasked bool      `json:"unasked,omitempty"` // he opted out of what he does not ask for
	AskedAt time.Time `json:"asked_at,omitzero"` // of his last message that no machine wrote
}

// HandleDetached is the fence: nothing of this tenure or an older one gets in any more.
type HandleDetached struct {
	Handle    string    `json:"handle"`
	Tenure    int64     `json:"tenure"` // that ended
	MoveID    string    `json:"move_id,omitempty"`
	ValidFrom time.Time `json:"valid_from"`
	Handed    []Handed  `json:"handed,omitempty"`
}

// Handed is a unit of an open conversation that leaves with its handle.
type Handed struct {
	Unit         string    `json:"unit"`
	OpenedAt     time.Time `json:"opened_at"`
	Conversation string    `json:"conversation"`
	Topic        string    `json:"topic"`
	LastMessage  string    `json:"last_message"`
}

// ConversationOpened begins a conversation of this customer, for ever stored here.
type ConversationOpened struct {
	Conversation string       `json:"conversation"`
	Topic        string       `json:"topic"` // own id, or the topic of the conversation provably answered
	Beside       []string     `json:"beside,omitempty"`
	Via          []string     `json:"via,omitempty"`
	Inbox        string       `json:"inbox"`
	Channel      string       `json:"channel"`
	Subject      crypt.Sealed `json:"subject"`             // under the unit key of the first message
	Outbound     bool         `json:"outbound,omitempty"`  // we wrote first
	Continues    string       `json:"continues,omitempty"` // conversation a moved head continues
	Carried      []Handed     `json:"carried,omitempty"`
	// Thread is a keyed hash of what the channel shows it under (a public post):
	// messages of another thread are another conversation.
	Thread string `json:"thread,omitempty"`
}

// MessageReceived is one thing the customer (or a third party in his thread) said.
// Commit id: msg:<message>.
type MessageReceived struct {
	Message      string       `json:"message"` // keyed hash of (channel, inbox, provider's message id)
	Conversation string       `json:"conversation"`
	Handle       string       `json:"handle"`
	Tenure       int64        `json:"tenure"`
	Channel      string       `json:"channel"`
	Inbox        string       `json:"inbox"`
	OccurredAt   time.Time    `json:"occurred_at"`
	Unit         string       `json:"unit"`           // UnitKey; names the data key of Body
	UnitOpened   *time.Time   `json:"unit_opened_at"` // set on the first message of a unit
	Body         crypt.Sealed `json:"body"`           // JSON of MessageBody
	Assurance    int          `json:"assurance"`
	Evidence     string       `json:"evidence,omitempty"` // kind of evidence for Assurance; a word, never a value
	Flags        []string     `json:"flags,omitempty"`
	Raw          string       `json:"raw,omitempty"`  // intake reference of the original
	Refs         []string     `json:"refs,omitempty"` // keyed hashes of ids others refer to it by
	ClientID     string       `json:"client_id,omitempty"`
	Proof        *Proof       `json:"proof,omitempty"`
	Late         bool         `json:"late,omitempty"`
	// Imported: it happened elsewhere, earlier. Nobody is told of it and nothing follows from it.
	Imported bool `json:"imported,omitempty"`
}

// Proof: the message proved to belong to customer A although its handle is another's.
type Proof struct {
	Evidence Evidence `json:"evidence"`
	Customer string   `json:"customer"`
}

// MessageReread: an input that could not be read (MessageBody.Unparsed) was
// read after the parser was mended. The placeholder is shown no more; Into are
// the messages it became, possibly of other customers. Commit id: reread:<message>.
type MessageReread struct {
	Message      string   `json:"message"`
	Conversation string   `json:"conversation"`
	Into         []string `json:"into,omitempty"`
}

// MessageChanged: a person edited or deleted a message of his, or reacted to one.
// It is stored when it comes, also before its message, and is tied to it when it
// is shown: nothing in here depends on what was known of the message. It is a unit
// of its own, so it has one owner and one key whatever its message belongs to.
// Commit id: change:<change>.
type MessageChanged struct {
	Change     string       `json:"change"` // keyed hash of (channel, inbox, provider's id of it)
	Target     string       `json:"target"` // keyed hash of one of the message's Refs
	Action     string       `json:"action"` // edited, deleted, reacted, unreacted
	Handle     string       `json:"handle"` // whoever did it
	Tenure     int64        `json:"tenure"`
	Channel    string       `json:"channel"`
	Inbox      string       `json:"inbox"`
	OccurredAt time.Time    `json:"occurred_at"` // also when its unit opened
	Unit       string       `json:"unit"`        // UnitKey(change, handle, tenure); names the data key of Body
	Body       crypt.Sealed `json:"body"`        // JSON of ChangeBody
	Assurance  int          `json:"assurance"`
	Flags      []string     `json:"flags,omitempty"`
	Raw        string       `json:"raw,omitempty"` // intake reference of the original
	// Forget: the inbox keeps nothing of what is deleted, so read models drop it.
	Forget bool `json:"forget,omitempty"`
}

// ConsentSet is what somebody said about being written to at a handle over an
// inbox. In the commit of the message that says so, before it; else by an order.
type ConsentSet struct {
	Handle  string       `json:"handle"`
	Inbox   string       `json:"inbox"`
	Wish    string       `json:"wish"`              // out, in
	Message string       `json:"message,omitempty"` // that says so
	Unasked bool         `json:"unasked,omitempty"` // with out: of what he does not ask for; what he writes later may be answered
	Reason  crypt.Sealed `json:"reason"`            // of an agent who recorded it; plain UTF-8, under CustomerKey
}

// Statuses and life of a conversation.
type (
	// ConversationReopened: By is a message id or an agent.
	ConversationReopened struct {
		Conversation string `json:"conversation"`
		By           string `json:"by"`
	}
	// ConversationClosed ends it until the customer writes again.
	ConversationClosed struct {
		Conversation string `json:"conversation"`
		Reason       string `json:"reason,omitempty"` // "", "moved"
	}
	// ConversationPended waits for the customer or a third party.
	ConversationPended struct {
		Conversation string `json:"conversation"`
	}
	// ConversationSnoozed hides it until a time.
	ConversationSnoozed struct {
		Conversation string    `json:"conversation"`
		Until        time.Time `json:"until"`
	}
	// ConversationWoken: the snooze time has come.
	ConversationWoken struct {
		Conversation string    `json:"conversation"`
		Until        time.Time `json:"until"` // the snooze it ends
	}
	// ConversationAssigned: Assignee empty unassigns.
	ConversationAssigned struct {
		Conversation string `json:"conversation"`
		Assignee     string `json:"assignee"`
	}
	// ConversationPrioritised: low, normal, high, urgent.
	ConversationPrioritised struct {
		Conversation string `json:"conversation"`
		Priority     string `json:"priority"`
	}
	ConversationTagged struct {
		Conversation string `json:"conversation"`
		Tag          string `json:"tag"`
	}
	ConversationUntagged struct {
		Conversation string `json:"conversation"`
		Tag          string `json:"tag"`
	}
	// NoteAdded is internal: it never leaves. Body under CustomerKey.
	NoteAdded struct {
		Note         string       `json:"note"`
		Conversation string       `json:"conversation"`
		Body         crypt.Sealed `json:"body"` // JSON of NoteBody
	}
	// AttributeSet sets or (Removed) removes. Value under CustomerKey.
	AttributeSet struct {
		Name    string       `json:"name"`
		Value   crypt.Sealed `json:"value"`
		Removed bool         `json:"removed,omitempty"`
	}
)

// ReplyRequested is an outbound message, accepted and on its way.
// Commit id: reply:<reply>.
type ReplyRequested struct {
	Reply        string       `json:"reply"`
	Conversation string       `json:"conversation"`
	Answers      string       `json:"answers,omitempty"` // message id; empty for a first outbound one
	Handle       string       `json:"handle"`
	Tenure       int64        `json:"tenure"`
	Channel      string       `json:"channel"`
	Inbox        string       `json:"inbox"`
	Unit         string       `json:"unit"`
	UnitOpened   *time.Time   `json:"unit_opened_at"`
	Body         crypt.Sealed `json:"body"` // JSON of ReplyBody
	Author       string       `json:"author"`
	Automatic    bool         `json:"automatic,omitempty"`
	// Imported: it was sent elsewhere, earlier. It is never sent from here.
	Imported bool `json:"imported,omitempty"`
	// ToRefuted: the sender answered is refuted (channel.ScopeUnverified), and the author insisted.
	ToRefuted bool `json:"to_refuted,omitempty"`
}

// ReplyRetried asks the channel to send once more.
type ReplyRetried struct {
	Reply        string `json:"reply"`
	Conversation string `json:"conversation"`
	Attempt      int    `json:"attempt"`
}

// ReplyProgressed is what the channel said: retrying, unknown, sent, delivered, read, failed.
// Commit id: receipt:<reply>:<state>:<attempt>.
type ReplyProgressed struct {
	Reply        string       `json:"reply"`
	Conversation string       `json:"conversation"`
	State        string       `json:"state"`
	Detail       crypt.Sealed `json:"detail"`         // under the unit key
	Refs         []string     `json:"refs,omitempty"` // keyed hashes of the provider's ids
	At           time.Time    `json:"at"`
}
