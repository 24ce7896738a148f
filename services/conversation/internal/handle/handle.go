// Package handle decides who owns a handle. It is pure, like package customer.
//
// A handle is owned in tenures, numbered from 1. The number is a fencing
// token: a customer's stream takes messages of the tenure that is attached
// there and of no other, so whatever is believed of a handle may be stale.
package handle

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
	"github.com/weftline/weftline/services/internal/crypt"
)

// StateVersion is the version of State's JSON in snapshots.
const StateVersion = 3

// State is who owns the handle. The zero value was never owned.
type State struct {
	ID       string `json:"id,omitempty"`
	Tenure   int64  `json:"tenure,omitempty"`   // the last one that began
	Customer string `json:"customer,omitempty"` // owner; empty: nobody
	Kind     string `json:"kind,omitempty"`
	Scope    string `json:"scope,omitempty"`

	// Address is sealed in the tenure AddressTenure.
	Address       crypt.Sealed `json:"address,omitzero"`
	AddressTenure int64        `json:"address_tenure,omitempty"`
	// Assurance is the level of the present tenure. A move begins anew at 0: what
	// a former owner has shown says nothing of the next one.
	Assurance int `json:"assurance,omitempty"`
	// Evidence is what the claim rests on that began this line of owners.
	Evidence event.Evidence `json:"evidence,omitzero"`
	// Qualifier is "", shared, role or blocked. It is the address's, whoever owns it.
	Qualifier string `json:"qualifier,omitempty"`

	// Of a tenure that began by a move.
	From      string    `json:"from,omitempty"` // the former owner
	MoveID    string    `json:"move_id,omitempty"`
	ValidFrom time.Time `json:"valid_from,omitzero"`
	Refuses   []string  `json:"refuses,omitempty"`
	Line      bool      `json:"line,omitempty"` // its owner is the line it became when it was qualified as shared

	// Of erased owners: messages that came in, and orders to write first that
	// were carried out, newest last. They are known, although nothing tells of
	// them any more.
	Seen    []string  `json:"seen,omitempty"`
	Started []string  `json:"started,omitempty"`
	CutOff  time.Time `json:"cut_off,omitzero"`
	// Remembered are tenures of erased owners whose messages are among Seen
	// although no release ended them.
	Remembered []int64 `json:"remembered,omitempty"`

	// Periods are all there ever were, oldest first.
	Periods tenure.History `json:"periods,omitempty"`
}

// Owned says whether somebody owns the handle.
func (s State) Owned() bool { return s.Customer != "" }

// Alone says that nobody but the present owner ever owned the handle: nothing
// has to be settled before his stream takes its messages.
func (s State) Alone() bool { return len(s.Periods) <= 1 }

// Begins refuses an order to write first that was carried out for somebody who
// was erased since, with *StartedError.
func (s State) Begins(order string) error {
	if order != "" && slices.Contains(s.Started, order) {
		return &StartedError{Handle: s.ID, Order: order}
	}
	return nil
}

// Command is an intention; see customer.Command.
type Command interface {
	CommitID() string
	decide(State) ([]event.Event, error)
}

// Decide returns the events the command leads to; none when there is nothing to do.
func Decide(s State, c Command) ([]event.Event, error) { return c.decide(s) }

// Claim gives a handle nobody owns to a customer. Its address is sealed after the decision.
type Claim struct {
	Handle    string
	Tenure    int64 // State.Tenure + 1
	Customer  string
	Kind      string
	Scope     string
	Assurance int
	Evidence  event.Evidence
	// Started is the order to write first it is made for: one that an erased
	// owner of the handle knew is refused with *StartedError. "": none.
	Started string
}

// CommitID is claim:<handle>:<tenure>. It does not name the owner: two claims
// of one tenure are one, and the loser reads back who won.
func (c Claim) CommitID() string { return fmt.Sprintf("claim:%s:%d", c.Handle, c.Tenure) }

func (c Claim) decide(s State) ([]event.Event, error) {
	if s.Owned() || s.Tenure >= c.Tenure {
		return nil, nil
	}
	if err := s.Begins(c.Started); err != nil {
		return nil, err
	}
	return []event.Event{event.HandleClaimed{
		Tenure: c.Tenure, Customer: c.Customer, Kind: c.Kind, Scope: c.Scope,
		Assurance: c.Assurance, Evidence: c.Evidence,
	}}, nil
}

// Assure raises the level by new evidence.
type Assure struct {
	Handle    string
	Tenure    int64
	Assurance int
	Evidence  event.Evidence
}

// CommitID is assure:<handle>:<tenure>:<level>.
func (c Assure) CommitID() string {
	return fmt.Sprintf("assure:%s:%d:%d", c.Handle, c.Tenure, c.Assurance)
}

func (c Assure) decide(s State) ([]event.Event, error) {
	if !s.Owned() || s.Tenure != c.Tenure || s.Assurance >= c.Assurance {
		return nil, nil
	}
	return []event.Event{event.HandleAssured{Assurance: c.Assurance, Evidence: c.Evidence}}, nil
}
