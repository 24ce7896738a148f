package handle

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Remember keeps known what an erased former owner had over the handle. It is
// given before anything of his goes, once for his last tenure; whoever has the
// handle now is not concerned.
type Remember struct {
	Handle  string
	Tenure  int64 // his last one
	EraseID string
	Seen    []string // ids of the messages of his that came over the handle, oldest first
	Started []string // ids of orders to write first over it
	// CutOff is zero when Seen has all of them; else as in Release.
	CutOff time.Time
}

// CommitID is remember:<handle>:<tenure>.
func (c Remember) CommitID() string { return fmt.Sprintf("remember:%s:%d", c.Handle, c.Tenure) }

func (c Remember) decide(s State) ([]event.Event, error) {
	if s.Remembers(c.Tenure) {
		return nil, nil
	}
	known := func(have []string) func(string) bool {
		return func(id string) bool { return slices.Contains(have, id) }
	}
	return []event.Event{event.HandleRemembered{
		Tenure: c.Tenure, EraseID: c.EraseID, CutOff: c.CutOff,
		Seen:    slices.DeleteFunc(slices.Clone(c.Seen), known(s.Seen)),
		Started: slices.DeleteFunc(slices.Clone(c.Started), known(s.Started)),
	}}, nil
}

// Remembers says whether what the owner of a tenure had is known for good.
func (s State) Remembers(tenure int64) bool { return slices.Contains(s.Remembered, tenure) }

// Owes says whether the period at a place, whose owner was erased, is one of
// which nothing is kept yet that a release has not kept: it did not end by one,
// or somebody before him had the handle, whose messages may have come to be his.
func (s State) Owes(i int) bool {
	p := s.Periods[i]
	if s.Remembers(p.Number) {
		return false
	}
	if i+1 == len(s.Periods) || s.Periods[i+1].Customer != "" {
		return true
	}
	for _, before := range slices.Backward(s.Periods[:i]) {
		if before.Customer == "" {
			break
		}
		if before.Customer != p.Customer {
			return true
		}
	}
	return false
}
