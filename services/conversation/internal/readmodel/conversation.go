package readmodel

import (
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Statuses of a conversation.
const (
	StatusOpen    = "open"
	StatusPending = "pending"
	StatusSnoozed = "snoozed"
	StatusClosed  = "closed"
)

// Statuses in the order they are shown.
var Statuses = []string{StatusOpen, StatusPending, StatusSnoozed, StatusClosed}

// NoAssignee stands for nobody in the index.
const NoAssignee = "none"

// Conversation is one row of the queue.
type Conversation struct {
	ID       string `json:"-"`
	Customer string `json:"customer"`
	Topic    string `json:"topic"`
	Status   string `json:"status"`
	Assignee string `json:"assignee"` // NoAssignee for nobody
	Inbox    string `json:"inbox"`    // of the last message
	Channel  string `json:"channel"`
	Last     string `json:"last"` // sorts; the place of the last message
	LastAt   int64  `json:"last_at"`
	OpenedAt int64  `json:"opened_at"`
	// WaitingSince is when the oldest unanswered message came, 0 when none waits.
	WaitingSince int64    `json:"waiting,omitempty"`
	SnoozedUntil int64    `json:"until,omitempty"`
	Priority     string   `json:"priority,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	// Version counts messages and replies: what an author must have seen.
	Version int64        `json:"version"`
	Subject crypt.Sealed `json:"subject,omitzero"`
	Preview Excerpt      `json:"preview,omitzero"`
	// Retired: it was kept for long enough, and nothing of what was said is left.
	Retired bool `json:"retired,omitempty"`
	// Beside are conversations it was opened beside, seen through the links Via.
	Beside []string `json:"beside,omitempty"`
	Via    []string `json:"via,omitempty"`
	// Inbound is the place of the last message of the customer's, "" for none.
	Inbound string `json:"inbound,omitempty"`
	// Low is the lowest assurance of a message since the last proof, and LowAt
	// the time of the last message.
	Low   int   `json:"low,omitempty"`
	LowAt int64 `json:"low_at,omitempty"`
	// AttributedTo is the customer who spoke, on a shared handle.
	AttributedTo string `json:"attributed_to,omitempty"`
	// Targets are the units, oldest first: where a reply could go.
	Targets []Target `json:"targets,omitempty"`
}

// Excerpt is a little of a sealed body, sealed again under the body's own key,
// so that a list need not open whole bodies and erasure takes it along.
type Excerpt struct {
	Sealed crypt.Sealed `json:"s"`
	Of     string       `json:"of"` // the entry it is from
}

// Target is a unit of the conversation and the message in it that a reply answers.
type Target struct {
	Handle string `json:"handle"`
	// Tenure 0 is the one attached now: the unit was carried over by a move.
	Tenure  int64  `json:"tenure"`
	Channel string `json:"channel"`
	Inbox   string `json:"inbox"`
	Message string `json:"message,omitempty"` // "" while only we have written
	Seq     uint64 `json:"seq,omitempty"`     // of the commit with Message
	Third   bool   `json:"third,omitempty"`   // Message is a third party's, for want of a better one
}

// maxTargets is as many units as a decision remembers.
const maxTargets = 100

// Target is where a reply goes by default: the unit of the last inbound message
// whose tenure is attached; a third party's, or one only we wrote in, while there
// is nothing better. open is false when its tenure is over and a reply would be
// refused. It mirrors what decides, so that what is shown is what is done.
func (c *Conversation) Target(customer *Customer) (t Target, open, ok bool) {
	best := -1
	for _, u := range c.Targets {
		if u.Tenure == 0 {
			u.Tenure = customer.tenure(u.Handle)
		}
		rank, attached := 0, customer.Attached(u.Handle, u.Tenure)
		if attached {
			rank += 4
		}
		if u.Message != "" {
			rank++
			if !u.Third {
				rank++
			}
		}
		if rank > best || rank == best && u.Seq >= t.Seq {
			t, best, open, ok = u, rank, attached, true
		}
	}
	return t, open, ok
}

// ConversationOf names the conversation an event is about, "" for none.
func ConversationOf(ev event.Event) string {
	switch v := ev.(type) {
	case event.ConversationOpened:
		return v.Conversation
	case event.MessageReceived:
		return v.Conversation
	case event.ReplyRequested:
		return v.Conversation
	case event.ConversationReopened:
		return v.Conversation
	case event.ConversationClosed:
		return v.Conversation
	case event.ConversationPended:
		return v.Conversation
	case event.ConversationSnoozed:
		return v.Conversation
	case event.ConversationWoken:
		return v.Conversation
	case event.ConversationAssigned:
		return v.Conversation
	case event.ConversationPrioritised:
		return v.Conversation
	case event.ConversationTagged:
		return v.Conversation
	case event.ConversationUntagged:
		return v.Conversation
	case event.MessageReread:
		return v.Conversation
	case event.NoteAdded:
		return v.Conversation
	case event.ReplyRetried:
		return v.Conversation
	case event.ReplyProgressed:
		return v.Conversation
	case event.ConversationCarried:
		return v.Conversation
	case event.MessagesMoved:
		return v.From
	case event.ConversationAttributed:
		return v.Conversation
	case event.ConversationRetired:
		return v.Conversation
	}
	return ""
}

// Apply folds one event of this conversation and says whether it changed the row.
func (c *Conversation) Apply(p Place, ev event.Event) bool {
	switch v := ev.(type) {
	case event.ConversationOpened:
		*c = Conversation{
			ID: v.Conversation, Customer: p.Customer, Topic: v.Topic, Status: StatusOpen, Assignee: NoAssignee,
			Inbox: v.Inbox, Channel: v.Channel, OpenedAt: micro(p.At), Subject: v.Subject,
			Beside: v.Beside, Via: v.Via,
		}
		c.carry(p, v.Carried)
		c.touch(p)
	case event.ConversationCarried:
		c.carry(p, v.Carried)
		c.touch(p)
	case event.ConversationAttributed:
		c.AttributedTo = v.Customer
	case event.MessageReceived:
		c.Version++
		c.Channel, c.Inbox = v.Channel, v.Inbox
		c.touch(p)
		if c.WaitingSince == 0 && !automatic(v.Flags) {
			c.WaitingSince = micro(p.At)
		}
		if c.Inbound == "" || v.Assurance < c.Low || v.Assurance >= Proven {
			c.Low = v.Assurance
		}
		c.Inbound, c.LowAt = p.Last(), micro(p.At)
		u := c.unit(v.Handle, v.Tenure)
		u.Channel, u.Inbox = v.Channel, v.Inbox
		if third := thirdParty(v.Flags); !third || u.Message == "" || u.Third {
			u.Message, u.Seq, u.Third = v.Message, p.Seq, third
		}
	case event.ReplyRequested:
		c.Version++
		c.Channel, c.Inbox = v.Channel, v.Inbox
		c.touch(p)
		if !v.Automatic {
			c.WaitingSince = 0
		}
		u := c.unit(v.Handle, v.Tenure)
		u.Channel, u.Inbox = v.Channel, v.Inbox
	case event.ConversationReopened, event.ConversationWoken:
		c.Status, c.SnoozedUntil = StatusOpen, 0
	case event.ConversationClosed:
		c.Status, c.SnoozedUntil, c.WaitingSince = StatusClosed, 0, 0
	case event.ConversationPended:
		c.Status, c.SnoozedUntil = StatusPending, 0
	case event.ConversationSnoozed:
		c.Status, c.SnoozedUntil = StatusSnoozed, micro(v.Until)
	case event.ConversationAssigned:
		c.Assignee = v.Assignee
		if c.Assignee == "" {
			c.Assignee = NoAssignee
		}
	case event.ConversationRetired:
		c.emptied()
	case event.ConversationPrioritised:
		c.Priority = v.Priority
	case event.ConversationTagged:
		if !slices.Contains(c.Tags, v.Tag) {
			c.Tags = append(slices.Clip(c.Tags), v.Tag)
		}
	case event.ConversationUntagged:
		c.Tags = slices.DeleteFunc(slices.Clone(c.Tags), func(t string) bool { return t == v.Tag })
	default:
		return false
	}
	return true
}

// Proven is the assurance from which on a message is a proof.
const Proven = 3

// Assurance is the lowest one of a message since the last proof. A proof that
// came by other ways than a message is in the levels of its handle.
func (c *Conversation) Assurance(handle func(id string) *Handle) int {
	level := c.Low
	if c.Inbound == "" {
		return level
	}
	for _, t := range c.Targets {
		if h := handle(t.Handle); h != nil {
			for _, l := range h.Levels {
				if l.Assurance >= Proven && l.At > c.LowAt && (t.Tenure == 0 || l.Tenure == t.Tenure) {
					level = max(level, l.Assurance)
				}
			}
		}
	}
	return level
}

// carry takes over units that a former owner's conversation left with a handle.
func (c *Conversation) carry(p Place, units []event.Handed) {
	for _, h := range units {
		f := strings.Split(h.Unit, "/")
		if len(f) != 4 || slices.ContainsFunc(c.Targets, func(t Target) bool { return t.Handle == f[2] && t.Tenure == 0 }) {
			continue
		}
		c.Targets = append(slices.Clip(c.Targets), Target{
			Handle: f[2], Channel: c.Channel, Inbox: c.Inbox, Message: h.LastMessage, Seq: p.Seq,
		})
	}
}

func (c *Conversation) touch(p Place) { c.Last, c.LastAt = p.Last(), micro(p.At) }

// unit finds or adds one. The slice is copied: a row may be shared.
func (c *Conversation) unit(handle string, tenure int64) *Target {
	c.Targets = slices.Clone(c.Targets)
	i := slices.IndexFunc(c.Targets, func(t Target) bool {
		return t.Handle == handle && (t.Tenure == tenure || t.Tenure == 0)
	})
	if i >= 0 {
		c.Targets[i].Tenure = tenure
		return &c.Targets[i]
	}
	if len(c.Targets) >= maxTargets {
		c.Targets = c.Targets[1:]
	}
	c.Targets = append(c.Targets, Target{Handle: handle, Tenure: tenure})
	return &c.Targets[len(c.Targets)-1]
}

func thirdParty(flags []string) bool { return slices.Contains(flags, "third_party") }

// automatic says that nobody waits for an answer.
func automatic(flags []string) bool {
	return slices.Contains(flags, "auto_reply") || slices.Contains(flags, "bounce")
}
