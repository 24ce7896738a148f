package customer

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Detach is the fence: nothing of this tenure gets in any more. It is decided
// also where the handle never was attached. Units that the next owner gets are
// handed over, of conversations that are not closed; a conversation of which
// nothing stays closes here.
type Detach struct {
	Handle    string
	Tenure    int64 // that ended
	Since     int64 // the first tenure of this line of owners: claims and releases begin a new one
	MoveID    string
	ValidFrom time.Time
}

// CommitID is detach:<handle>:<tenure>.
func (c Detach) CommitID() string { return fmt.Sprintf("detach:%s:%d", c.Handle, c.Tenure) }

func (c Detach) decide(s State) ([]event.Event, error) {
	if s.Handle(c.Handle).Fence >= c.Tenure {
		return nil, nil
	}
	if s.Exists && !s.Whole && s.incomplete() {
		return nil, &MissingError{}
	}
	out := event.HandleDetached{Handle: c.Handle, Tenure: c.Tenure, MoveID: c.MoveID, ValidFrom: c.ValidFrom}
	var closed []event.Event
	for _, v := range s.Conversations {
		if v.Status == Closed || v.Partial {
			continue
		}
		stays, leaves := 0, 0
		for _, u := range v.Units {
			switch {
			case u.Left:
			case c.takes(u):
				leaves++
				out.Handed = append(out.Handed, event.Handed{
					Unit: u.Key, OpenedAt: u.OpenedAt, Conversation: v.ID, Topic: v.Topic, LastMessage: u.Last,
				})
			default:
				stays++
			}
		}
		if leaves > 0 && stays == 0 {
			closed = append(closed, event.ConversationClosed{Conversation: v.ID, Reason: "moved"})
		}
	}
	return append([]event.Event{out}, closed...), nil
}

// takes says whether a unit goes along; tenure.History.Owner agrees.
func (c Detach) takes(u Unit) bool {
	return u.Handle == c.Handle && u.Tenure >= c.Since && u.Tenure <= c.Tenure && !u.OpenedAt.Before(c.ValidFrom)
}

// incomplete says whether a conversation that is not closed, or a part of one, was forgotten.
func (s State) incomplete() bool {
	if s.Forgot {
		return true
	}
	for _, v := range s.Conversations {
		if v.Partial && v.Status != Closed {
			return true
		}
	}
	return false
}

// gone keeps what a detachment handed over until the next owner has taken it.
func (s State) gone(c Commit, e event.HandleDetached) State {
	out := Gone{Tenure: e.Tenure, Attached: s.Handle(e.Handle).Tenure == e.Tenure, Seq: c.Seq, At: c.At}
	for _, h := range e.Handed {
		carry := Carry{Handed: h}
		s = s.editUnit(h, func(u *Unit) {
			carry.Channel, carry.Inbox = u.Channel, u.Inbox
			u.Left = true
		})
		out.Handed = append(out.Handed, carry)
	}
	return s.editHandle(e.Handle, func(h *Handle) {
		h.Fence = max(h.Fence, e.Tenure)
		if out.Attached { // then all that was under way before had come here
			h.Gone = nil
		}
		h.Gone = append(h.Gone[:len(h.Gone):len(h.Gone)], out)
		if h.Tenure <= e.Tenure {
			h.Tenure = 0
		}
	})
}

// editUnit changes a copy of a unit that is held; nothing happens when it is not.
func (s State) editUnit(h event.Handed, edit func(*Unit)) State {
	v, ok := s.Conversation(h.Conversation)
	if _, held := v.unit(h.Unit); !ok || !held {
		return s
	}
	return s.editConversation(v.ID, func(v *Conversation) {
		v.Units = append([]Unit(nil), v.Units...)
		for i := range v.Units {
			if v.Units[i].Key == h.Unit {
				edit(&v.Units[i])
			}
		}
	})
}
