package customer

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// HeldError refuses an erasure or a retention while a legal hold lasts.
type HeldError struct {
	Customer string
	Holds    []string
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("customer %s is under a legal hold (%d in force)", e.Customer, len(e.Holds))
}

// limitHolds is how many holds one customer may have at a time.
const limitHolds = 50

// Erase is the fence of an erasure, also on an empty stream: a claim whose
// message is on its way finds it.
type Erase struct {
	Customer string
	EraseID  string
}

// CommitID is erase:<customer>.
func (c Erase) CommitID() string { return "erase:" + c.Customer }

func (c Erase) decide(s State) ([]event.Event, error) {
	if s.Erased != "" {
		return nil, nil
	}
	if len(s.Holds) > 0 {
		return nil, &HeldError{Customer: c.Customer, Holds: s.Holds}
	}
	return []event.Event{event.CustomerErased{EraseID: c.EraseID}}, nil
}

// FinishErasure leaves the tombstone. Kept are the units in this stream that
// belong to others: what a purge must leave.
type FinishErasure struct {
	Customer string
	EraseID  string
	Kept     []string
}

// CommitID is erased:<customer>.
func (c FinishErasure) CommitID() string { return "erased:" + c.Customer }

func (c FinishErasure) decide(s State) ([]event.Event, error) {
	if s.Buried {
		return nil, nil
	}
	return []event.Event{event.ErasureDone{EraseID: c.EraseID, Kept: c.Kept}}, nil
}

// PlaceHold forbids erasure and retention until it is lifted. Its reason is
// sealed after the decision.
type PlaceHold struct {
	ID   string
	Hold string
}

// CommitID is the caller's.
func (c PlaceHold) CommitID() string { return c.ID }

func (c PlaceHold) decide(s State) ([]event.Event, error) {
	switch {
	case !s.Exists:
		return nil, &NotFoundError{What: "customer", ID: s.ID}
	case slices.Contains(s.Holds, c.Hold):
		return nil, nil
	case len(s.Holds) >= limitHolds:
		return nil, &RefusedError{Reason: fmt.Sprintf("a customer has at most %d holds", limitHolds)}
	}
	return []event.Event{event.HoldPlaced{Hold: c.Hold}}, nil
}

// LiftHold ends one.
type LiftHold struct {
	ID   string
	Hold string
}

// CommitID is the caller's.
func (c LiftHold) CommitID() string { return c.ID }

func (c LiftHold) decide(s State) ([]event.Event, error) {
	if !slices.Contains(s.Holds, c.Hold) {
		return nil, &NotFoundError{What: "hold", ID: c.Hold}
	}
	return []event.Event{event.HoldLifted{Hold: c.Hold}}, nil
}

// Retire ends the keeping of a conversation that is closed and was silent since
// Before. Units are those whose keys go, read from the stream.
type Retire struct {
	Conversation string
	Policy       string
	Before       time.Time
	Units        []string
	// Replayed: the log is an older copy; what the ledger says has happened.
	Replayed bool
}

// CommitID is retire:<conversation>:<policy>.
func (c Retire) CommitID() string { return "retire:" + c.Conversation + ":" + c.Policy }

func (c Retire) decide(s State) ([]event.Event, error) {
	if len(s.Holds) > 0 && !c.Replayed {
		return nil, &HeldError{Customer: s.ID, Holds: s.Holds}
	}
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if c.Replayed {
		return []event.Event{event.ConversationRetired{Conversation: v.ID, Units: c.Units, Policy: c.Policy}}, nil
	}
	if v.Status != Closed || !v.LastAt.Before(c.Before) {
		return nil, &RefusedError{Reason: "the conversation is not closed and silent for long enough"}
	}
	return []event.Event{event.ConversationRetired{Conversation: v.ID, Units: c.Units, Policy: c.Policy}}, nil
}

// retired forgets a conversation: nothing joins it any more.
func (s State) retired(id string) State {
	s.Conversations = slices.DeleteFunc(slices.Clone(s.Conversations), func(v *Conversation) bool { return v.ID == id })
	return s
}

// buried is all that is left of an erased customer. While the stream is not
// purged, orders that come again are still known.
func (s State) buried(eraseID string) State {
	return State{ID: s.ID, Exists: true, Erased: eraseID, Buried: true, Commands: s.Commands}
}
