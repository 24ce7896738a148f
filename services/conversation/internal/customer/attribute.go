package customer

import (
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Attribute says which customer spoke in a conversation over a shared handle.
type Attribute struct {
	ID           string // commit id
	Conversation string
	Speaker      string   // empty takes it back
	Shared       []string // handles that are qualified as shared
}

// CommitID is the caller's.
func (c Attribute) CommitID() string { return c.ID }

func (c Attribute) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if c.Speaker == s.ID {
		return nil, &FieldError{Field: "customer_id", Problem: "is the line itself"}
	}
	if c.Speaker != "" && !slices.ContainsFunc(v.Units, func(u Unit) bool { return slices.Contains(c.Shared, u.Handle) }) {
		return nil, &RefusedError{Reason: "only what came over a shared handle has a speaker to be named"}
	}
	if v.Speaker == c.Speaker {
		return nil, nil
	}
	return []event.Event{event.ConversationAttributed{Conversation: v.ID, Customer: c.Speaker}}, nil
}
