// Package join decides whether two conversations are shown as one, by an
// agent's word. It is pure, like package customer. Whether a join counts is
// seen when it is shown: while both customers are one person.
package join

import (
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// StateVersion is the version of State's JSON in snapshots.
const StateVersion = 1

// State is what decides about a pair of conversations.
type State struct {
	Joins []Tie `json:"joins,omitempty"`
}

// Tie is one join.
type Tie struct {
	ID     string `json:"id"`
	Undone bool   `json:"undone,omitempty"`
}

// Joined says whether a join is active, and which.
func (s State) Joined() (id string, ok bool) {
	for _, j := range s.Joins {
		if !j.Undone {
			return j.ID, true
		}
	}
	return "", false
}

// RefusedError: the command does not fit what is; Reason is for the caller.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// NotFoundError: there is no such join of these conversations.
type NotFoundError struct{ ID string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("join %s not found", e.ID) }

// Command is an intention; see customer.Command.
type Command interface {
	CommitID() string
	decide(State) ([]event.Event, error)
}

// Decide returns the events the command leads to; none when there is nothing to do.
func Decide(s State, c Command) ([]event.Event, error) { return c.decide(s) }

// Join shows two conversations as one. It does nothing while they are joined.
type Join struct {
	Join      string
	A, B      string   // A < B
	Customers []string // of A and of B
}

// CommitID is the join's id.
func (c Join) CommitID() string { return c.Join }

func (c Join) decide(s State) ([]event.Event, error) {
	if c.A == c.B {
		return nil, &RefusedError{Reason: "a conversation cannot be joined with itself"}
	}
	_, joined := s.Joined()
	if joined || slices.ContainsFunc(s.Joins, func(j Tie) bool { return j.ID == c.Join }) {
		return nil, nil
	}
	return []event.Event{event.ConversationsJoined{Join: c.Join, A: c.A, B: c.B, Customers: c.Customers}}, nil
}

// Unjoin takes a join back.
type Unjoin struct {
	Join      string
	Customers []string
}

// CommitID is un:<join>.
func (c Unjoin) CommitID() string { return "un:" + c.Join }

func (c Unjoin) decide(s State) ([]event.Event, error) {
	i := slices.IndexFunc(s.Joins, func(j Tie) bool { return j.ID == c.Join })
	if i < 0 {
		return nil, &NotFoundError{ID: c.Join}
	}
	if s.Joins[i].Undone {
		return nil, nil
	}
	return []event.Event{event.ConversationsUnjoined{Join: c.Join, Customers: c.Customers}}, nil
}

// Evolve returns the state after a commit. Neither argument is changed.
func Evolve(s State, c event.Commit) State {
	for _, e := range c.Events {
		switch e := e.(type) {
		case event.ConversationsJoined:
			s.Joins = append(slices.Clip(s.Joins), Tie{ID: e.Join})
		case event.ConversationsUnjoined:
			s.Joins = slices.Clone(s.Joins)
			for i := range s.Joins {
				s.Joins[i].Undone = s.Joins[i].Undone || s.Joins[i].ID == e.Join
			}
		}
	}
	return s
}
