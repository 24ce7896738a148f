package customer

import (
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// StateVersion is the version of State's JSON in snapshots. Raise it with
// every change of meaning: older snapshots are ignored then.
const StateVersion = 5

// Bounds of the state. Every aggregate of a store must be folded with the same.
type Bounds struct {
	// Seen messages per handle, and commits by order: that many to twice as
	// many are remembered. A message, reply or note stays once for ever, because
	// the timeline is asked; other orders are idempotent as long as remembered.
	Seen     int
	Commands int

	Closed  int // closed conversations, the latest active
	All     int // conversations of any status
	Replies int
	Refs    int // per conversation
	Units   int // per conversation, kept for reply targets
}

// DefaultBounds keep a snapshot below 100 KB or so, whatever happens.
var DefaultBounds = Bounds{Seen: 256, Commands: 256, Closed: 50, All: 250, Replies: 256, Refs: 64, Units: 100}

// limitTags is how many tags a conversation may have.
const limitTags = 50

// LimitAttributes is how many attributes a customer may have, also in an import.
const LimitAttributes = 100

// Commit is one stored decision, decoded.
type Commit = event.Commit

// State is what Decide asks about. The zero value is "nothing happened yet".
// Values are never changed in place: a State may be shared.
type State struct {
	ID            string          `json:"id,omitempty"`
	Exists        bool            `json:"exists,omitempty"`
	Handles       []Handle        `json:"handles,omitempty"`
	Conversations []*Conversation `json:"conversations,omitempty"`
	Replies       []*Reply        `json:"replies,omitempty"` // oldest first
	// ReplyFloor is the commit that made the state forget a reply last; what is
	// known of forgotten ones stands at or before it. 0: none ever was.
	ReplyFloor uint64 `json:"reply_floor,omitempty"`
	Commands   Window `json:"commands"` // commit ids other than messages and receipts

	Erased string `json:"erased,omitempty"` // by this erasure: nothing gets in any more
	// Forgot: a conversation that was not closed, or a unit of one, is not held any more.
	Forgot bool     `json:"forgot,omitempty"`
	Buried bool     `json:"buried,omitempty"` // the erasure is through
	Holds  []string `json:"holds,omitempty"`  // legal holds in force
	// Attributes are the names that are set: LimitAttributes of them, whatever was stored before there was a limit.
	Attributes []string `json:"attributes,omitempty"`

	// Pinned are conversations the state was folded with although they are old.
	Pinned []string `json:"-"`
	// Whole: it was folded without forgetting anything but message ids.
	Whole bool `json:"-"`
}

// Handle is what is known of a handle here.
type Handle struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Tenure int64  `json:"tenure,omitempty"` // attached; 0: not attached
	Fence  int64  `json:"fence,omitempty"`  // nothing of this tenure or an older one gets in
	Seen   Window `json:"seen"`             // message ids
	// Gone are tenures that ended here, whose units may still be under way.
	Gone []Gone `json:"gone,omitempty"`
	// Inboxes are what is known of it by inbox: of the newest maxInboxes.
	Inboxes []Reach `json:"inboxes,omitempty"`
}

// Reach is whether and how long a handle may be written to over an inbox.
type Reach struct {
	Inbox string `json:"inbox"`
	// LastAt is when his last message came over it, by the hub's clock; zero: none did.
	LastAt time.Time `json:"last_at,omitzero"`
	// Out: he opted out, at OutAt, by Message ("": an agent recorded it).
	Out     bool      `json:"out,omitempty"`
	OutAt   time.Time `json:"out_at,omitzero"`
	Message string    `json:"message,omitempty"`
	// Unasked: of what he does not ask for. AskedAt is when his last message
	// came that no machine wrote.
	Unasked bool      `json:"unasked,omitempty"`
	AskedAt time.Time `json:"asked_at,omitzero"`
}

// Asks says that he opted out of what he does not ask for, and has written since:
// he may be answered.
func (r Reach) Asks() bool { return r.Unasked && r.AskedAt.After(r.OutAt) }

// maxInboxes bounds Handle.Inboxes; one that was opted out of is not forgotten.
const maxInboxes = 20

// Reach is what is known of a handle over an inbox.
func (h Handle) Reach(inbox string) Reach {
	for _, r := range h.Inboxes {
		if r.Inbox == inbox {
			return r
		}
	}
	return Reach{Inbox: inbox}
}

// reach changes a copy of what is known over an inbox.
func (h *Handle) reach(inbox string, edit func(*Reach)) {
	r := h.Reach(inbox)
	edit(&r)
	rest := slices.DeleteFunc(slices.Clone(h.Inboxes), func(o Reach) bool { return o.Inbox == inbox })
	if len(rest) >= maxInboxes {
		if i := slices.IndexFunc(rest, func(o Reach) bool { return !o.Out }); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
	}
	h.Inboxes = append(rest, r) // the newest last
}

// Went is what left when a tenure ended here; false when nothing is under way any more.
func (h Handle) Went(tenure int64) (Gone, bool) {
	for _, g := range h.Gone {
		if g.Tenure == tenure {
			return g, true
		}
	}
	return Gone{}, false
}

// Gone is what left with a handle.
type Gone struct {
	Tenure   int64     `json:"tenure"`
	Attached bool      `json:"attached,omitempty"` // it had been attached here
	Seq      uint64    `json:"seq"`                // of the commit
	At       time.Time `json:"at"`
	Handed   []Carry   `json:"handed,omitempty"`
}

// Carry is a unit of an open conversation on its way to another customer.
type Carry struct {
	event.Handed
	Channel string `json:"channel,omitempty"` // both empty: forgotten here, the stream knows
	Inbox   string `json:"inbox,omitempty"`
}

// Status of a conversation.
type Status string

// The statuses.
const (
	Open    Status = "open"
	Pending Status = "pending"
	Snoozed Status = "snoozed"
	Closed  Status = "closed"
)

// Conversation is the state of one conversation.
type Conversation struct {
	ID       string    `json:"id"`
	Topic    string    `json:"topic"`
	Status   Status    `json:"status"`
	Until    time.Time `json:"until,omitzero"` // of a snooze
	Inbox    string    `json:"inbox"`
	Channel  string    `json:"channel"`
	OpenSeq  uint64    `json:"open_seq"` // of the commit that opened it
	Units    []Unit    `json:"units,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	Priority string    `json:"priority,omitempty"` // "" is normal
	Version  int64     `json:"version"`            // messages and replies
	LastAt   time.Time `json:"last_at"`            // of the last message or reply
	LastSeq  uint64    `json:"last_seq"`           // of the last message or reply
	Refs     []string  `json:"refs,omitempty"`     // hashes of ids others may refer to, oldest first

	// Partial: it was forgotten and something happened to it since. Only a
	// fold with it pinned knows the rest.
	Partial bool `json:"partial,omitempty"`

	Thread  string `json:"thread,omitempty"`  // keyed hash
	Speaker string `json:"speaker,omitempty"` // the customer who spoke, on a shared handle
}

// Unit is the part of a conversation that came over one tenure of a handle.
type Unit struct {
	Key      string    `json:"key"` // event.UnitKey; of a carried one, as it was first stored
	Handle   string    `json:"handle"`
	Tenure   int64     `json:"tenure"` // it is held by here
	Channel  string    `json:"channel"`
	Inbox    string    `json:"inbox"`
	OpenedAt time.Time `json:"opened_at"`

	// The last inbound message, the target of a reply. A third party's
	// message takes the place only while there is nothing else.
	Last       string `json:"last,omitempty"`
	LastSeq    uint64 `json:"last_seq,omitempty"`
	ThirdParty bool   `json:"third_party,omitempty"`

	Carried bool `json:"carried,omitempty"` // it came with the handle from a former owner, or by a split
	Left    bool `json:"left,omitempty"`    // it went with the handle
}

// Reply is an outbound message and what became of it.
type Reply struct {
	ID           string `json:"id"`
	Conversation string `json:"conversation"`
	Unit         string `json:"unit"`
	Course
}

// Handle finds what is known of a handle; the zero Handle when nothing is.
func (s State) Handle(id string) Handle {
	if i := s.handleIndex(id); i >= 0 {
		return s.Handles[i]
	}
	return Handle{ID: id}
}

// Conversation finds a conversation that is held whole.
func (s State) Conversation(id string) (*Conversation, bool) {
	if i := s.conversationIndex(id); i >= 0 && !s.Conversations[i].Partial {
		return s.Conversations[i], true
	}
	return nil, false
}

// Reply finds an outbound message.
func (s State) Reply(id string) (*Reply, bool) {
	i := slices.IndexFunc(s.Replies, func(r *Reply) bool { return r.ID == id })
	if i < 0 {
		return nil, false
	}
	return s.Replies[i], true
}

// Attached says whether messages of this tenure of the handle belong here.
func (s State) Attached(handle string, tenure int64) bool {
	return tenure > 0 && s.Handle(handle).Tenure == tenure
}

// SeenMessage says whether the windows hold the message. False is no proof of
// absence when the handle's window has a floor.
func (s State) SeenMessage(id string) bool {
	return slices.ContainsFunc(s.Handles, func(h Handle) bool { return h.Seen.Has(id) })
}

func (s State) handleIndex(id string) int {
	return slices.IndexFunc(s.Handles, func(h Handle) bool { return h.ID == id })
}

func (s State) conversationIndex(id string) int {
	return slices.IndexFunc(s.Conversations, func(c *Conversation) bool { return c.ID == id })
}

// need finds a conversation or says what to do to find it.
func (s State) need(id string) (*Conversation, error) {
	if c, ok := s.Conversation(id); ok {
		return c, nil
	}
	if s.Whole || slices.Contains(s.Pinned, id) {
		return nil, &NotFoundError{What: "conversation", ID: id}
	}
	return nil, &MissingError{Conversation: id}
}
