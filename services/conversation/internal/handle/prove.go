package handle

import "github.com/weftline/weftline/services/conversation/internal/event"

// Prove notes that the owner was shown to control the handle. Unlike Assure it
// is written also where the level is there already: when it was shown last is
// what everything said since then rests on.
type Prove struct {
	Handle    string
	Tenure    int64
	Assurance int
	Evidence  event.Evidence // ID names the proof
}

// CommitID is prove:<proof>.
func (c Prove) CommitID() string { return "prove:" + c.Evidence.ID }

func (c Prove) decide(s State) ([]event.Event, error) {
	if !s.Owned() || s.Tenure != c.Tenure {
		return nil, nil
	}
	return []event.Event{event.HandleAssured{Assurance: c.Assurance, Evidence: c.Evidence}}, nil
}
