// Package tenure says whose a part of a conversation is after its handle moved.
// It is pure.
//
// A handle is owned in tenures, numbered from 1. What was said over it is kept
// in units (one conversation, one handle, one tenure), and a unit belongs to
// one customer as a whole: to the last tenure that can be reached from its own
// by moves whose valid-from is not after the unit was opened. A release ends
// the way: what was said before it belongs to nobody who comes after.
package tenure

import "time"

// Period is one ownership period.
type Period struct {
	Number    int64     `json:"number"`
	Customer  string    `json:"customer,omitempty"` // empty: released, nobody's
	At        time.Time `json:"at"`                 // recorded
	ValidFrom time.Time `json:"valid_from,omitzero"`
	MoveID    string    `json:"move_id,omitempty"`  // of a period that began by a move
	EraseID   string    `json:"erase_id,omitempty"` // of a release
}

// History is all periods of a handle, oldest first.
type History []Period

// Last is the present period; the zero Period of a handle nobody ever owned.
func (h History) Last() Period {
	if len(h) == 0 {
		return Period{}
	}
	return h[len(h)-1]
}

// Owner is the customer a unit of a tenure belongs to that was opened at a
// time (the occurred_at of its first message), and the tenure by which he owns
// it. "" when the tenure is not known here.
func (h History) Owner(number int64, opened time.Time) (customer string, by int64) {
	found := false
	for _, p := range h {
		switch {
		case p.Number == number && p.Customer != "":
			customer, by, found = p.Customer, p.Number, true
		case !found:
		case p.Customer == "" || p.MoveID == "":
			return customer, by // a release, or the claim after one
		case !p.ValidFrom.After(opened):
			customer, by = p.Customer, p.Number
		}
	}
	return customer, by
}
