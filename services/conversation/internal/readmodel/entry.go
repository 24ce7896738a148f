package readmodel

import (
	"strconv"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Kinds of timeline entries.
const (
	KindMessage  = "message"
	KindReply    = "reply"
	KindNote     = "note"
	KindActivity = "activity"
	KindChange   = "change" // what a person did to a message; Verb is the action, Ref the message
	KindEvent    = "event"  // something that happened in the business; Verb is its type
)

// FlagImported: it happened elsewhere, earlier. Nobody is told of it and
// nothing follows from it.
const FlagImported = "imported"

// Entry is one line of a customer's timeline. Bodies stay sealed as they are in the event.
type Entry struct {
	ID       string `json:"-"` // message, reply or note id; else made of customer, commit and index
	Customer string `json:"customer"`
	// Conversation is the one it is shown in. A split changes it; the unit, and
	// with it owner and key, is what Body.Key names.
	Conversation string `json:"conversation,omitempty"`
	// Transcript is the handle for what the customer may read back (messages
	// and replies, as changes left them), "" for what is internal. It is what keeps notes out of the widget.
	Transcript string `json:"transcript,omitempty"`
	Position   string `json:"position"`
	Kind       string `json:"kind"`
	At         int64  `json:"at"`                 // recorded, µs
	OccurredAt int64  `json:"occurred,omitempty"` // by the provider, µs

	Channel string       `json:"channel,omitempty"`
	Inbox   string       `json:"inbox,omitempty"`
	Handle  string       `json:"handle,omitempty"`
	Tenure  int64        `json:"tenure,omitempty"`
	Body    crypt.Sealed `json:"body,omitzero"`
	Kept    string       `json:"kept,omitempty"` // unit of a message of whose Body nothing is kept

	// Of a message.
	Assurance int      `json:"assurance,omitempty"`
	Flags     []string `json:"flags,omitempty"`
	Raw       string   `json:"raw,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`

	// Hidden: a placeholder whose input was read after all. It stays so that it is known.
	Hidden bool `json:"hidden,omitempty"`

	// Refs are the keyed hashes of what a message or reply is referred to by.
	Refs []string `json:"refs,omitempty"`
	// Forget: of a deletion, its inbox keeps nothing of what was deleted; of a
	// message, nothing is kept of it.
	Forget bool `json:"forget,omitempty"`

	// Of a reply; Author also of a note.
	Answers  string     `json:"answers,omitempty"`
	Author   string     `json:"author,omitempty"`
	Delivery []Delivery `json:"delivery,omitempty"` // oldest first; the last one is how it stands

	// Of an activity; Verb is an event's type.
	Verb  string `json:"verb,omitempty"`
	Actor string `json:"actor,omitempty"`
	Value string `json:"value,omitempty"`
	Until int64  `json:"until,omitempty"`
	Ref   string `json:"ref,omitempty"`  // of a link, suggestion or join: its id; of a change: one of the Refs of its message
	Rule  string `json:"rule,omitempty"` // that made it
}

// Delivery is one step of an outbound message's way.
type Delivery struct {
	State  string       `json:"state"` // queued, or a channel.State
	Detail crypt.Sealed `json:"detail,omitzero"`
	At     int64        `json:"at"`
}

// StateQueued is where every reply begins, and begins again when it is retried.
const StateQueued = "queued"

// Delivered is how an outbound message stands.
func (e *Entry) Delivered() Delivery {
	if len(e.Delivery) == 0 {
		return Delivery{}
	}
	return e.Delivery[len(e.Delivery)-1]
}

// NewEntry is the line an event begins, if it begins one.
func NewEntry(p Place, ev event.Event) (Entry, bool) {
	e := Entry{Customer: p.Customer, Position: p.Position(), At: micro(p.At)}
	switch v := ev.(type) {
	case event.MessageReceived:
		e.ID, e.Kind, e.Conversation, e.Transcript = v.Message, KindMessage, v.Conversation, v.Handle
		e.Channel, e.Inbox, e.Handle, e.Tenure = v.Channel, v.Inbox, v.Handle, v.Tenure
		e.OccurredAt, e.Body, e.Assurance = micro(v.OccurredAt), v.Body, v.Assurance
		e.Flags, e.Raw, e.ClientID = v.Flags, v.Raw, v.ClientID
		e.Flags, e.Refs = flags(v), v.Refs
	case event.MessageChanged:
		e.ID, e.Kind, e.Verb, e.Ref, e.Forget, e.Transcript = v.Change, KindChange, v.Action, v.Target, v.Forget, v.Handle
		e.Channel, e.Inbox, e.Handle, e.Tenure = v.Channel, v.Inbox, v.Handle, v.Tenure
		e.OccurredAt, e.Body, e.Assurance, e.Flags, e.Raw = micro(v.OccurredAt), v.Body, v.Assurance, v.Flags, v.Raw
	case event.ReplyRequested:
		e.ID, e.Kind, e.Conversation, e.Transcript = v.Reply, KindReply, v.Conversation, v.Handle
		e.Channel, e.Inbox, e.Handle, e.Tenure = v.Channel, v.Inbox, v.Handle, v.Tenure
		e.Body, e.Answers, e.Author = v.Body, v.Answers, v.Author
		if v.Automatic {
			e.Flags = []string{"automatic"}
		}
		if v.ToRefuted {
			e.Flags = append(e.Flags, "to_refuted")
		}
		if v.Imported {
			e.Flags = append(e.Flags, FlagImported)
		}
		e.Delivery = []Delivery{{State: StateQueued, At: micro(p.At)}}
	case event.NoteAdded:
		e.ID, e.Kind, e.Conversation = v.Note, KindNote, v.Conversation
		e.Body, e.Author = v.Body, p.Actor
	case event.EventRecorded:
		e.ID, e.Kind, e.Verb, e.Actor = v.Event, KindEvent, v.Kind, p.Actor
		e.OccurredAt, e.Body = micro(v.OccurredAt), v.Body
		if v.Imported {
			e.Flags = []string{FlagImported}
		}
	default:
		if !e.activity(ev) {
			return Entry{}, false
		}
		e.ID = p.Customer + "." + p.Commit + "." + strconv.Itoa(p.Index)
		e.Kind, e.Actor = KindActivity, p.Actor
		if e.Verb == VerbErased {
			// The fence says it, and the tombstone says it again: one line, one public event.
			e.ID = p.Customer + "." + VerbErased
		}
	}
	return e, true
}

// flags are a message's, with what else is to be said of it.
func flags(v event.MessageReceived) []string {
	out := v.Flags[:len(v.Flags):len(v.Flags)]
	if v.Late {
		out = append(out, "late")
	}
	if v.Imported {
		out = append(out, FlagImported)
	}
	return out
}

// VerbErased is the one activity that stays of an erased customer.
const VerbErased = "erased"

// Unit is the part of a conversation it is in: data key and owner are the
// unit's. "" for what is no message or reply.
func (e *Entry) Unit() string {
	switch e.Kind {
	case KindMessage, KindReply:
		if e.Body.Key == "" {
			return e.Kept
		}
		return e.Body.Key
	case KindChange:
		return event.UnitKey(e.ID, e.Handle, e.Tenure)
	}
	return ""
}

// activity fills in what happened, and says whether it is worth a line.
func (e *Entry) activity(ev event.Event) bool {
	switch v := ev.(type) {
	case event.ConversationOpened:
		e.Verb, e.Conversation, e.Channel, e.Inbox = "opened", v.Conversation, v.Channel, v.Inbox
	case event.ConversationReopened:
		e.Verb, e.Conversation, e.Value = "reopened", v.Conversation, v.By
	case event.ConversationClosed:
		e.Verb, e.Conversation, e.Value = "closed", v.Conversation, v.Reason
	case event.ConversationPended:
		e.Verb, e.Conversation = "pending", v.Conversation
	case event.ConversationSnoozed:
		e.Verb, e.Conversation, e.Until = "snoozed", v.Conversation, micro(v.Until)
	case event.ConversationWoken:
		e.Verb, e.Conversation = "woken", v.Conversation
	case event.ConversationAssigned:
		e.Verb, e.Conversation, e.Value = "assigned", v.Conversation, v.Assignee
	case event.ConversationPrioritised:
		e.Verb, e.Conversation, e.Value = "priority", v.Conversation, v.Priority
	case event.ConversationTagged:
		e.Verb, e.Conversation, e.Value = "tagged", v.Conversation, v.Tag
	case event.ConversationUntagged:
		e.Verb, e.Conversation, e.Value = "untagged", v.Conversation, v.Tag
	case event.AttributeSet:
		e.Verb, e.Value = "attribute", v.Name
	case event.ConsentSet:
		e.Verb, e.Handle, e.Inbox, e.Value = "consent", v.Handle, v.Inbox, v.Wish
	case event.MessageReread:
		e.Verb, e.Conversation, e.Value = "reread", v.Conversation, v.Message
	case event.HandleAttached:
		e.Verb, e.Handle, e.Tenure, e.Value = "handle_attached", v.Handle, v.Tenure, v.Kind
	case event.ErasureDone:
		e.Verb, e.Value = VerbErased, v.EraseID
	case event.HandleDetached:
		e.Verb, e.Handle, e.Tenure = "handle_detached", v.Handle, v.Tenure
	case event.HandleAsserted:
		e.Verb, e.Handle, e.Value = "asserted", v.Handle, v.Kind
	case event.ConversationCarried:
		e.Verb, e.Conversation, e.Value = "carried", v.Conversation, v.Continues
	case event.MessagesMoved:
		e.Verb, e.Conversation, e.Value = "split", v.From, v.To
	case event.ConversationAttributed:
		e.Verb, e.Conversation, e.Value = "attributed", v.Conversation, v.Customer
	case event.CustomerErased:
		e.Verb, e.Value = VerbErased, v.EraseID
	case event.ConversationRetired:
		e.Verb, e.Conversation, e.Value = "retired", v.Conversation, v.Policy
	case event.HoldPlaced:
		e.Verb, e.Value = "hold_placed", v.Hold
	case event.HoldLifted:
		e.Verb, e.Value = "hold_lifted", v.Hold
	default:
		return false
	}
	return true
}

// Retired names the entry an event takes out of sight, "" for none.
func Retired(ev event.Event) string {
	if v, ok := ev.(event.MessageReread); ok {
		return v.Message
	}
	return ""
}

// Progress says whether an event moves an outbound message on, and which.
func Progress(p Place, ev event.Event) (entry string, d Delivery, ok bool) {
	switch v := ev.(type) {
	case event.ReplyProgressed:
		at := v.At
		if at.IsZero() {
			at = p.At
		}
		return v.Reply, Delivery{State: v.State, Detail: v.Detail, At: micro(at)}, true
	case event.ReplyRetried:
		return v.Reply, Delivery{State: StateQueued, At: micro(p.At)}, true
	}
	return "", Delivery{}, false
}
