package customer

import (
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// LimitSplit is how many entries one split may show elsewhere.
const LimitSplit = 200

// Split shows messages and replies of a conversation as one of their own. They
// stay where they are stored, under their keys; what they are answered by goes
// where it would have gone.
type Split struct {
	ID              string // commit id
	Conversation    string
	NewConversation string
	Entries         []Entry // 1 to LimitSplit, oldest first
}

// Entry is where a message or a reply is stored, from a look-up. Facts of it never change.
type Entry struct {
	ID           string
	Conversation string
	Handle       string
	Tenure       int64
	Inbound      bool
	Channel      string
	Inbox        string
}

// CommitID is the caller's.
func (c Split) CommitID() string { return c.ID }

func (c Split) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if n := len(c.Entries); n < 1 || n > LimitSplit {
		return nil, &FieldError{Field: "entry_ids", Problem: fmt.Sprintf("must be 1 to %d, are %d", LimitSplit, n)}
	}
	if _, err := s.need(c.NewConversation); err == nil {
		return nil, nil // opened by this very order
	}
	opened := event.ConversationOpened{
		Conversation: c.NewConversation, Topic: c.NewConversation,
		Inbox: c.Entries[0].Inbox, Channel: c.Entries[0].Channel,
	}
	if opened.Inbox == "" {
		opened.Inbox, opened.Channel = v.Inbox, v.Channel
	}
	moved := event.MessagesMoved{From: v.ID, To: c.NewConversation}
	for _, e := range c.Entries {
		if e.Conversation != v.ID || slices.Contains(moved.Messages, e.ID) {
			return nil, &FieldError{Field: "entry_ids", Problem: fmt.Sprintf("%s is not a message or reply of this conversation, or is named twice", e.ID)}
		}
		moved.Messages = append(moved.Messages, e.ID)
		u, ok := v.unit(event.UnitKey(e.Conversation, e.Handle, e.Tenure))
		if !ok {
			continue
		}
		i := slices.IndexFunc(opened.Carried, func(h event.Handed) bool { return h.Unit == u.Key })
		if i < 0 {
			i = len(opened.Carried)
			opened.Carried = append(opened.Carried, event.Handed{
				Unit: u.Key, OpenedAt: u.OpenedAt, Conversation: v.ID, Topic: c.NewConversation,
			})
		}
		if e.Inbound {
			opened.Carried[i].LastMessage = e.ID
		}
	}
	return []event.Event{opened, moved}, nil
}
