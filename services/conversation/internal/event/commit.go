package event

import "time"

// Commit is one stored decision, decoded: what an aggregate folds.
type Commit struct {
	ID     string
	Stream string // "customer.<id>", "handle.<hash>"
	Seq    uint64
	At     time.Time // recorded_at
	Actor  string
	Events []Event
}
