package customer

import (
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Command is an intention. CommitID names what it becomes: the same command
// given twice is one commit. Closed: only this package's types are commands.
type Command interface {
	CommitID() string
	decide(State) ([]event.Event, error)
}

// Decide returns the events the command leads to; none when it is done already
// or changes nothing.
func Decide(s State, c Command) ([]event.Event, error) {
	if s.Commands.Has(c.CommitID()) {
		return nil, nil
	}
	if s.Erased != "" {
		switch c.(type) {
		case Receive, Change, Detach, Erase, FinishErasure: // what is known stays known, and what must leave leaves
		default:
			return nil, &ErasedError{Customer: s.ID, EraseID: s.Erased}
		}
	}
	return c.decide(s)
}

// recall refuses an entry that might be there already, but forgotten. upTo is
// how far the timeline was asked.
func recall(w Window, entry string, upTo uint64) error {
	if w.Floor > upTo {
		return &RecallError{Entry: entry, Floor: w.Floor}
	}
	return nil
}
