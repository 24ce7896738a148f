package customer

import (
	"fmt"
	"strings"
	"time"
)

// Until are the replies held here that went to a handle in one of its tenures,
// at or before a time, and that a delivery state would move forward; oldest
// first. underWay: there are others of which the channel has not said yet
// whether they went out.
func (s State) Until(handle string, tenure int64, state string, at time.Time) (went []string, underWay bool) {
	unit := fmt.Sprintf("/%s/%d", handle, tenure)
	for _, r := range s.Replies {
		switch {
		case !strings.HasSuffix(r.Unit, unit):
		case r.State == Queued:
			underWay = true
		case wentOut(r.State) && !r.SentAt.IsZero() && !r.SentAt.After(at) && Forward(r.State, state, true):
			went = append(went, r.ID)
		}
	}
	return went, underWay
}
