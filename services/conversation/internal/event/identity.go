package event

import (
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
)

// ---- handle.<hash>, beside claim, move, release and assurance ----

// HandleQualified says what kind of address it is: "shared" (a line several
// people use), "role" (an office), "blocked" (no evidence at all), "none".
// None of the first three is an endpoint of an automatic link.
type HandleQualified struct {
	Qualifier string `json:"qualifier"`
	Reason    string `json:"reason,omitempty"` // a word or "rule@version", never a value
}

// ---- customer.<id>, what concerns identity ----

// HandleAsserted: a message of this customer says that another address is his
// too. It is a claim of the level given, and moves nothing. It comes in the
// commit of its message.
type HandleAsserted struct {
	Handle    string       `json:"handle"`
	Kind      string       `json:"kind"`
	Assurance int          `json:"assurance"`
	Message   string       `json:"message"`
	Match     []string     `json:"match,omitempty"` // as in HandleClaimed
	Address   crypt.Sealed `json:"address"`         // under CustomerKey; JSON of Address
}

// ConversationCarried: units of a conversation of a former owner go on in this
// one, which was there already (ConversationOpened carries where it was not).
// It comes with HandleAttached, after ConversationReopened where it was not open.
type ConversationCarried struct {
	Conversation string   `json:"conversation"`
	Continues    string   `json:"continues"` // the conversation they come from
	Carried      []Handed `json:"carried"`
}

// MessagesMoved (split) shows messages in another conversation of this
// customer, which the same commit opens. It changes neither owner nor key.
type MessagesMoved struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Messages []string `json:"messages"`
}

// ConversationAttributed says which customer spoke on a shared handle. Customer
// empty takes it back.
type ConversationAttributed struct {
	Conversation string `json:"conversation"`
	Customer     string `json:"customer"`
}

// EventRecorded is something that happened in the business: an order, a page
// view. Commit id: event:<event>.
type EventRecorded struct {
	Event      string       `json:"event"` // hash of source and its id
	Kind       string       `json:"kind"`  // "order.placed": 1 to 64 of a-z 0-9 _ . -
	OccurredAt time.Time    `json:"occurred_at"`
	Body       crypt.Sealed `json:"body"` // under CustomerKey; JSON of EventBody
	Imported   bool         `json:"imported,omitempty"`
}

// ---- link.<a>.<b>, a < b. References only: it survives the erasure of either side ----

// Reason is why two customers may be one person.
type Reason struct {
	Kind     string   `json:"kind"` // same_handle, variant, same_login, agent, …: a word of the rules
	Handle   string   `json:"handle,omitempty"`
	Levels   []int    `json:"levels,omitempty"` // of both sides
	Evidence []string `json:"evidence,omitempty"`
}

// LinkSuggested proposes. Commit id: the suggestion.
type LinkSuggested struct {
	Suggestion string   `json:"suggestion"` // derived from rule and evidence: the same evidence suggests once
	A          string   `json:"a"`
	B          string   `json:"b"`
	Rule       string   `json:"rule"` // name@version
	Reasons    []Reason `json:"reasons"`
}

// LinkRefused: an agent says no, for good: until there is other evidence than Evidence.
type LinkRefused struct {
	Suggestions []string `json:"suggestions"`
	Evidence    []string `json:"evidence"`
}

// Linked makes one person of two. A pair may have several active links; it is
// linked while it has one.
type Linked struct {
	Link    string   `json:"link"` // link:<message> of a proof; the agent's order otherwise
	A       string   `json:"a"`
	B       string   `json:"b"`
	Rule    string   `json:"rule"` // name@version; "agent" for a merge by hand
	Reasons []Reason `json:"reasons,omitempty"`
}

// Unlinked takes one link back, for ever.
type Unlinked struct {
	Link   string `json:"link"`
	Reason string `json:"reason,omitempty"` // a word: "agent", "guard:<limit>"
}

// ---- join.<c1>.<c2>, c1 < c2: conversations ----

// ConversationsJoined shows two conversations as one while their customers are one person.
type ConversationsJoined struct {
	Join string `json:"join"`
	A    string `json:"a"`
	B    string `json:"b"`
	// Customers in whose streams A and B are stored, in that order: for ever the same.
	Customers []string `json:"customers,omitempty"`
}

// ConversationsUnjoined takes a join back.
type ConversationsUnjoined struct {
	Join      string   `json:"join"`
	Customers []string `json:"customers,omitempty"` // as in ConversationsJoined
}
