package customer

import (
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Receive takes in one message. Its body is sealed after the decision, because
// the decision names the unit.
type Receive struct {
	At      time.Time // the hub's clock
	Message string
	Handle  Attach   // the sender's
	Also    []Attach // handles this message proves to be the same sender's
	Asserts *Asserted

	NewConversation string // id to use if one is opened
	Policy          Policy
	Channel, Inbox  string
	OccurredAt      time.Time
	Assurance       int
	Evidence        string
	Flags           []string
	Raw             string
	Refs            []string // hashes others will refer to it by
	ClientID        string
	Proof           *event.Proof
	ValidFrom       time.Time // of the tenure; an older message is late
	Imported        bool      // it happened elsewhere, earlier

	Reference Reference
	// Consent is what the message as a whole says of being written to.
	Consent channel.ConsentWish
	// Thread is a keyed hash of what the channel shows it under, "" for nothing.
	Thread string

	// RecalledTo: the timeline, complete up to this sequence, does not know the message.
	RecalledTo uint64
}

// Reference is what a message provably answers.
type Reference struct {
	Hashes []string // ids it refers to, newest first
	// Conversation of this customer, from a look-up that may lag behind.
	Conversation string
	// Reply is the outbound message a token of ours proves it answers.
	Reply string
	// Topic of somebody else's conversation, proven by a token of ours: the
	// message is a third party's and opens a related conversation.
	Topic string
	// Own: the message of ours that was answered is this customer's all the same,
	// since its unit came to him with its handle.
	Own bool
	// Carried are conversations of others it refers to: they count where a unit
	// of theirs came here.
	Carried []string
}

// Asserted is another address the message says is its sender's too. It proves
// nothing. Its address is sealed after the decision.
type Asserted struct {
	Handle, Kind string
	Assurance    int
	Match        []string
}

// Policy says which conversation a message without a reference joins.
type Policy struct {
	// Join: an open conversation is joined while its last message or reply is
	// not older than this. 0 means always.
	Join time.Duration
	// Reopen: without an open one, the latest closed conversation is reopened
	// while its last message or reply is not older than this. 0 means never.
	Reopen time.Duration
	// Alone: only conversations of the same inbox are joined or reopened.
	Alone bool
}

// CommitID is msg:<message>.
func (c Receive) CommitID() string { return "msg:" + c.Message }

func (c Receive) decide(s State) ([]event.Event, error) {
	if s.SeenMessage(c.Message) {
		return nil, nil
	}
	if s.Erased != "" {
		return nil, &ErasedError{Customer: s.ID, EraseID: s.Erased}
	}
	if err := s.takes(c.Handle); err != nil {
		return nil, err
	}
	if err := recall(s.Handle(c.Handle.Handle).Seen, c.Message, c.RecalledTo); err != nil {
		return nil, err
	}
	es := s.create(nil)
	es = s.attach(es, c.Handle)
	for _, a := range c.Also {
		es = s.attach(es, a)
	}

	conv, opened, err := c.place(s)
	if err != nil {
		return nil, err
	}
	if opened != nil {
		es = append(es, *opened)
		conv = &Conversation{ID: opened.Conversation}
	} else if conv.Status != Open && !slices.Contains(c.Flags, FlagAutoReply) {
		es = append(es, event.ConversationReopened{Conversation: conv.ID, By: c.Message})
	}

	m := event.MessageReceived{
		Message: c.Message, Conversation: conv.ID, Handle: c.Handle.Handle, Tenure: c.Handle.Tenure,
		Channel: c.Channel, Inbox: c.Inbox, OccurredAt: c.OccurredAt,
		Unit:      event.UnitKey(conv.ID, c.Handle.Handle, c.Handle.Tenure),
		Assurance: c.Assurance, Evidence: c.Evidence, Flags: c.flags(),
		Raw: c.Raw, Refs: c.Refs, ClientID: c.ClientID, Proof: c.Proof,
		Late: !c.ValidFrom.IsZero() && c.OccurredAt.Before(c.ValidFrom), Imported: c.Imported,
	}
	m.UnitOpened = conv.begins(m.Unit, m.Handle, m.Tenure, c.OccurredAt)
	if a := c.Asserts; a != nil {
		es = append(es, event.HandleAsserted{
			Handle: a.Handle, Kind: a.Kind, Assurance: a.Assurance, Message: c.Message, Match: a.Match,
		})
	}
	said := event.ConsentSet{Handle: c.Handle.Handle, Inbox: c.Inbox, Wish: string(c.Consent), Message: c.Message}
	switch {
	case c.Consent == channel.OptOut, c.Consent == channel.OptIn && c.Assurance >= 2:
		es = append(es, said)
	case c.Consent == channel.OptOutUnasked:
		// It takes nothing back of an opt-out that holds for answers, too.
		if r := s.Handle(c.Handle.Handle).Reach(c.Inbox); !r.Out || r.Unasked {
			said.Wish, said.Unasked = string(channel.OptOut), true
			es = append(es, said)
		}
	}
	return append(es, m), nil
}

// Flags the decision looks at or sets.
const (
	FlagAutoReply  = "auto_reply" // does not wake what sleeps
	FlagBounce     = "bounce"     // a mail server wrote it
	FlagThirdParty = "third_party"
)

func (c Receive) flags() []string {
	if c.Reference.Topic == "" || c.Reference.Own || slices.Contains(c.Flags, FlagThirdParty) {
		return c.Flags
	}
	return append(slices.Clone(c.Flags), FlagThirdParty)
}
