package customer

import (
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// What was said elsewhere, earlier, is brought in by commands of its own. They
// say themselves which conversation is meant, so the state must hold all of
// them; they wake nobody and nothing is ever sent.

// Bring makes a customer, attaches handles to him and sets what is not set yet.
// The values of attributes are sealed after the decision.
type Bring struct {
	ID         string // commit id
	Handles    []Attach
	Attributes []string // names, valid ones, that are to be set
}

// CommitID is the caller's.
func (c Bring) CommitID() string { return c.ID }

func (c Bring) decide(s State) ([]event.Event, error) {
	es := s.create(nil)
	for _, h := range c.Handles {
		es = s.attach(es, h)
	}
	for _, name := range c.Attributes {
		es = append(es, event.AttributeSet{Name: name})
	}
	return es, nil
}

// Where an imported message or reply stands.
type Where struct {
	Handle         Attach
	Conversation   string
	Topic          string // "" means the conversation itself
	Channel, Inbox string
}

// open begins the conversation unless it is there.
func (w Where) open(s State, es []event.Event, outbound bool) ([]event.Event, *Conversation) {
	if v, ok := s.Conversation(w.Conversation); ok {
		return es, v
	}
	topic := w.Topic
	if topic == "" {
		topic = w.Conversation
	}
	return append(es, event.ConversationOpened{
		Conversation: w.Conversation, Topic: topic, Inbox: w.Inbox, Channel: w.Channel, Outbound: outbound,
	}), &Conversation{ID: w.Conversation}
}

// begin checks the tenure, and creates, attaches and opens as far as it is needed.
func (w Where) begin(s State, outbound bool) ([]event.Event, *Conversation, error) {
	if err := s.takes(w.Handle); err != nil {
		return nil, nil, err
	}
	es := s.attach(s.create(nil), w.Handle)
	es, v := w.open(s, es, outbound)
	return es, v, nil
}

// BringMessage is an inbound message of the past. Its body is sealed after the decision.
type BringMessage struct {
	Where
	Message    string
	OccurredAt time.Time
	Assurance  int
	Flags      []string
	Refs       []string
}

// CommitID is msg:<message>.
func (c BringMessage) CommitID() string { return "msg:" + c.Message }

func (c BringMessage) decide(s State) ([]event.Event, error) {
	if s.SeenMessage(c.Message) {
		return nil, nil
	}
	es, v, err := c.begin(s, false)
	if err != nil {
		return nil, err
	}
	m := event.MessageReceived{
		Message: c.Message, Conversation: v.ID, Handle: c.Handle.Handle, Tenure: c.Handle.Tenure,
		Channel: c.Channel, Inbox: c.Inbox, OccurredAt: c.OccurredAt,
		Unit:      event.UnitKey(v.ID, c.Handle.Handle, c.Handle.Tenure),
		Assurance: c.Assurance, Evidence: "import", Flags: c.Flags, Refs: c.Refs, Imported: true,
	}
	m.UnitOpened = v.begins(m.Unit, m.Handle, m.Tenure, c.OccurredAt)
	return append(es, m), nil
}

// BringReply is an outbound message of the past. That it was sent stands in the
// same commit, so no moment exists in which it waits to be. Its body is sealed
// after the decision.
type BringReply struct {
	Where
	Reply     string
	At        time.Time
	Author    string
	Automatic bool
	Refs      []string
}

// CommitID is reply:<reply>.
func (c BringReply) CommitID() string { return "reply:" + c.Reply }

func (c BringReply) decide(s State) ([]event.Event, error) {
	es, v, err := c.begin(s, true)
	if err != nil {
		return nil, err
	}
	r := event.ReplyRequested{
		Reply: c.Reply, Conversation: v.ID, Handle: c.Handle.Handle, Tenure: c.Handle.Tenure,
		Channel: c.Channel, Inbox: c.Inbox,
		Unit:   event.UnitKey(v.ID, c.Handle.Handle, c.Handle.Tenure),
		Author: c.Author, Automatic: c.Automatic, Imported: true,
	}
	if u, ok := v.unit(r.Unit); ok {
		r.Answers = u.Last
	}
	r.UnitOpened = v.begins(r.Unit, r.Handle, r.Tenure, c.At)
	return append(es, r, event.ReplyProgressed{
		Reply: c.Reply, Conversation: v.ID, State: string(channel.StateSent), Refs: c.Refs, At: c.At,
	}), nil
}

// BringStanding brings a conversation to how it stood at the end. What stands so
// already is left alone.
type BringStanding struct {
	ID           string // commit id
	Conversation string
	Assignee     string // "" leaves it
	Priority     string // "" leaves it
	Tags         []string
	Status       Status
	Until        time.Time // of Snoozed
}

// CommitID is the caller's.
func (c BringStanding) CommitID() string { return c.ID }

func (c BringStanding) decide(s State) ([]event.Event, error) {
	v, ok := s.Conversation(c.Conversation)
	if !ok {
		return nil, nil // all of its messages were here, in other conversations
	}
	var es []event.Event
	if c.Assignee != "" && c.Assignee != v.Assignee {
		es = append(es, event.ConversationAssigned{Conversation: v.ID, Assignee: c.Assignee})
	}
	if c.Priority != "" && c.Priority != v.Priority && (c.Priority != "normal" || v.Priority != "") {
		es = append(es, event.ConversationPrioritised{Conversation: v.ID, Priority: c.Priority})
	}
	tags := slices.Clone(v.Tags)
	for _, t := range c.Tags {
		if !slices.Contains(tags, t) && len(tags) < limitTags {
			tags = append(tags, t)
			es = append(es, event.ConversationTagged{Conversation: v.ID, Tag: t})
		}
	}
	if c.Status == v.Status {
		return es, nil
	}
	switch c.Status {
	case Open:
		es = append(es, event.ConversationReopened{Conversation: v.ID, By: "import"})
	case Pending:
		es = append(es, event.ConversationPended{Conversation: v.ID})
	case Snoozed:
		es = append(es, event.ConversationSnoozed{Conversation: v.ID, Until: c.Until})
	case Closed:
		es = append(es, event.ConversationClosed{Conversation: v.ID})
	}
	return es, nil
}
