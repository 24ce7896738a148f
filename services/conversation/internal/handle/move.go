package handle

import (
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Move gives a handle to another customer: the next tenure. Its address is
// sealed anew after the decision.
type Move struct {
	ID     string // of the move, and the commit id
	Handle string
	At     time.Time // the hub's clock
	From   string    // the present owner, as the author knows it
	Tenure int64     // the present one
	To     string
	// ValidFrom: units opened at or after it go along. Not in the future, and
	// not before the valid-from of the move that began the present tenure. A
	// tenure that began by a claim has no such bound: what was said is often
	// older than the claim (a mail's date, an import), and nothing but this
	// tenure's units can be meant.
	ValidFrom time.Time
	Reason    string
	Refuses   []string // evidence the author has seen: older proofs count no more
}

// CommitID is the move's.
func (c Move) CommitID() string { return c.ID }

func (c Move) decide(s State) ([]event.Event, error) {
	if s.movedBy(c.ID) {
		return nil, nil
	}
	if s.Customer != c.From || s.Tenure != c.Tenure || !s.Owned() {
		return nil, &StaleError{Handle: c.Handle, Owner: s.Customer, Tenure: s.Tenure}
	}
	if c.To == c.From {
		return nil, &FieldError{Field: "to", Problem: "owns the handle already"}
	}
	if c.ValidFrom.After(c.At) {
		return nil, &FieldError{Field: "valid_from", Problem: "must not be in the future"}
	}
	if s.MoveID != "" && c.ValidFrom.Before(s.ValidFrom) {
		return nil, &FieldError{Field: "valid_from", Problem: "must not be before the present tenure began (" + s.ValidFrom.Format(time.RFC3339) + ")"}
	}
	return []event.Event{event.HandleMoved{
		MoveID: c.ID, Tenure: s.Tenure + 1, From: c.From, To: c.To, ValidFrom: c.ValidFrom, Reason: c.Reason, Refuses: c.Refuses,
	}}, nil
}

// movedBy says whether a tenure began by this move.
func (s State) movedBy(id string) bool {
	for _, p := range s.Periods {
		if p.MoveID == id {
			return true
		}
	}
	return false
}
