package customer

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// LimitSnooze is how far ahead a conversation may be hidden.
const LimitSnooze = 366 * 24 * time.Hour

// SetStatus opens, pends, snoozes or closes a conversation.
type SetStatus struct {
	ID           string // commit id
	At           time.Time
	Actor        string
	Conversation string
	Status       Status
	Until        time.Time // of Snoozed: after At, at most LimitSnooze ahead
}

// CommitID is the caller's.
func (c SetStatus) CommitID() string { return c.ID }

func (c SetStatus) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if v.Status == c.Status && (c.Status != Snoozed || v.Until.Equal(c.Until)) {
		return nil, nil
	}
	switch c.Status {
	case Open:
		return []event.Event{event.ConversationReopened{Conversation: v.ID, By: c.Actor}}, nil
	case Pending:
		return []event.Event{event.ConversationPended{Conversation: v.ID}}, nil
	case Closed:
		return []event.Event{event.ConversationClosed{Conversation: v.ID}}, nil
	case Snoozed:
		if !c.Until.After(c.At) || c.Until.Sub(c.At) > LimitSnooze {
			return nil, &FieldError{Field: "snoozed_until", Problem: "must be in the future, at most 366 days ahead"}
		}
		return []event.Event{event.ConversationSnoozed{Conversation: v.ID, Until: c.Until}}, nil
	}
	return nil, &FieldError{Field: "status", Problem: fmt.Sprintf("%q is not one of open, pending, snoozed, closed", c.Status)}
}

// Wake ends a snooze whose time has come. A snooze that was changed since is
// left alone; the timer is the judge of the time.
type Wake struct {
	Conversation string
	Until        time.Time
}

// CommitID is wake:<conversation>:<until in µs>.
func (c Wake) CommitID() string {
	return fmt.Sprintf("wake:%s:%d", c.Conversation, c.Until.UnixMicro())
}

func (c Wake) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if v.Status != Snoozed || !v.Until.Equal(c.Until) {
		return nil, nil
	}
	return []event.Event{event.ConversationWoken{Conversation: v.ID, Until: v.Until}}, nil
}
