package handle

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// The qualifiers.
const (
	None    = "none"    // one person's
	Shared  = "shared"  // a line several people use
	Role    = "role"    // an office
	Blocked = "blocked" // no evidence at all
)

// Qualify says what kind of address it is. A shared one becomes the handle of a
// customer of its own, the line: all that came over it in this tenure is the
// line's, since nobody knows who spoke. When it is shared no more it goes back.
// Both are one commit, so they never stand half done.
type Qualify struct {
	ID        string // commit id, and id of the move
	Handle    string
	Qualifier string
	Line      string    // the customer a shared one is given to
	At        time.Time // the hub's clock
	// Back: the owner before the line can have it again. An erased one cannot.
	Back bool
}

// CommitID is the caller's.
func (c Qualify) CommitID() string { return c.ID }

func (c Qualify) decide(s State) ([]event.Event, error) {
	if s.movedBy(c.ID) || s.qualified() == c.Qualifier {
		return nil, nil
	}
	switch c.Qualifier {
	case None, Shared, Role, Blocked:
	default:
		return nil, &FieldError{Field: "qualifier", Problem: fmt.Sprintf("%q is not one of none, shared, role, blocked", c.Qualifier)}
	}
	if !s.Owned() {
		return nil, &StaleError{Handle: c.Handle, Tenure: s.Tenure}
	}
	es := []event.Event{event.HandleQualified{Qualifier: c.Qualifier, Reason: "agent"}}
	move := event.HandleMoved{MoveID: c.ID, Tenure: s.Tenure + 1, From: s.Customer, ValidFrom: s.ValidFrom}
	switch {
	case c.Qualifier == Shared && c.Line != s.Customer:
		move.To, move.Reason = c.Line, ReasonLine
		return append(es, move), nil
	case c.Qualifier != Shared && s.Line && c.Back && s.From != "":
		move.To, move.Reason = s.From, ReasonBack
		return append(es, move), nil
	}
	return es, nil
}

// Reasons of moves: an agent's own, and those that a qualifier brings with it.
const (
	ReasonAgent = "agent"
	ReasonLine  = "line"
	ReasonBack  = "line ended"
)

func (s State) qualified() string {
	if s.Qualifier == "" {
		return None
	}
	return s.Qualifier
}
