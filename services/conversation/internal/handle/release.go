package handle

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// LimitSeen is how many message ids a handle remembers of erased owners, the
// newest. What is older is told by the cut-off.
const LimitSeen = 5_000

// Release ends the tenure of an erased owner. Whoever comes next begins anew,
// but what the erased one had received is never taken in again.
type Release struct {
	Handle  string
	Tenure  int64
	EraseID string
	Seen    []string  // ids of the messages taken in over the handle, oldest first
	Started []string  // ids of orders to write first over it
	CutOff  time.Time // of the erasure
	// Replayed names the erased owner where the log is an older copy that may not
	// know the tenure: what is his, or nobody's, remembers the messages all the same.
	Replayed string
}

// CommitID is release:<handle>:<tenure>.
func (c Release) CommitID() string { return fmt.Sprintf("release:%s:%d", c.Handle, c.Tenure) }

func (c Release) decide(s State) ([]event.Event, error) {
	again := c.Replayed != "" && (s.Customer == c.Replayed || !s.Owned() && s.CutOff.Before(c.CutOff))
	if again {
		c.Tenure = s.Tenure
	}
	if !again && (!s.Owned() || s.Tenure != c.Tenure) {
		return nil, nil
	}
	if s.CutOff.After(c.CutOff) {
		c.CutOff = s.CutOff
	}
	return []event.Event{event.HandleReleased{
		Tenure: c.Tenure, EraseID: c.EraseID, Seen: newest(s.Seen, c.Seen), CutOff: c.CutOff, Started: newest(s.Started, c.Started),
	}}, nil
}

// newest joins what is known with what comes to be known, and keeps LimitSeen.
func newest(known, more []string) []string {
	out := slices.Clone(known)
	had := make(map[string]bool, len(known)+len(more))
	for _, id := range known {
		had[id] = true
	}
	for _, id := range more {
		if !had[id] {
			had[id] = true
			out = append(out, id)
		}
	}
	return out[max(0, len(out)-LimitSeen):]
}

// Remembered is how long before its cut-off a release knows every message.
const Remembered = 7 * 24 * time.Hour
