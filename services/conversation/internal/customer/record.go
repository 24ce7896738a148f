package customer

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Record puts something that happened in the business on the timeline. Its
// body is sealed after the decision.
type Record struct {
	Event      string // id, derived from the source and its own id
	Kind       string // 1 to 64 of a-z 0-9 _ . -
	OccurredAt time.Time
	Imported   bool
	RecalledTo uint64 // the timeline, complete up to here, does not know the event
}

// CommitID is event:<event>.
func (c Record) CommitID() string { return "event:" + c.Event }

func (c Record) decide(s State) ([]event.Event, error) {
	if err := CheckKind(c.Kind); err != nil {
		return nil, err
	}
	if !s.Exists {
		return nil, &NotFoundError{What: "customer", ID: s.ID}
	}
	if err := recall(s.Commands, c.Event, c.RecalledTo); err != nil {
		return nil, err
	}
	return []event.Event{event.EventRecorded{
		Event: c.Event, Kind: c.Kind, OccurredAt: c.OccurredAt, Imported: c.Imported,
	}}, nil
}

// CheckKind refuses a kind of business event that is none.
func CheckKind(kind string) error {
	ok := kind != "" && len(kind) <= 64
	for _, r := range kind {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-')
	}
	if !ok {
		return &FieldError{Field: "type", Problem: fmt.Sprintf("must be 1 to 64 characters of a-z 0-9 _ . -, is %.80q", kind)}
	}
	return nil
}
