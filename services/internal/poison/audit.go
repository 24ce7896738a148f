package poison

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Actions on a message.
const (
	ActionReplay = "replay"
	ActionSkip   = "skip"
)

// Collection is where the audit records are.
var Collection = docstore.Collection{
	Name:    "poison_audit",
	Indexes: []docstore.Index{{Name: "at", Sort: "at"}},
}

// Audit says what was done with a message, by whom, and why. It is written
// before it is done: after a crash in between the message is still in POISON.
type Audit struct {
	Action   string `json:"action"`
	Seq      uint64 `json:"seq"`
	Subject  string `json:"subject"`
	Error    string `json:"error"`            // why the message was in POISON
	Reason   string `json:"reason,omitempty"` // why it was skipped
	Who      string `json:"who"`              // the actor of the context, else "operator"
	AtMicros int64  `json:"at"`
}

// At is when it was done.
func (a Audit) At() time.Time { return time.UnixMicro(a.AtMicros).UTC() }

func (q *Queue) audit(ctx context.Context, action string, e Entry, reason string) error {
	a := Audit{Action: action, Seq: e.Seq, Subject: e.Subject, Error: e.Reason, Reason: reason, Who: "operator", AtMicros: q.now().UnixMicro()}
	if who, ok := actor.From(ctx); ok {
		a.Who = who.ID
	}
	j, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode poison audit: %w", err)
	}
	id := fmt.Sprintf("%s/%d/%d", action, e.Seq, a.AtMicros)
	err = q.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: Collection.Name, Doc: docstore.Doc{ID: id, JSON: j}}}})
	if err != nil {
		return fmt.Errorf("write poison audit: %w", err)
	}
	return nil
}

// Audits returns a page of audit records, newest first, and the token of the
// next page (empty: there is none).
func (q *Queue) Audits(ctx context.Context, after string, limit int) ([]Audit, string, error) {
	items, err := q.state.List(ctx, Collection.Name, docstore.Query{Index: "at", Desc: true, After: after, Limit: limit})
	if err != nil {
		return nil, "", fmt.Errorf("list poison audit: %w", err)
	}
	all := make([]Audit, len(items))
	for i, it := range items {
		if err := json.Unmarshal(it.JSON, &all[i]); err != nil {
			return nil, "", fmt.Errorf("decode poison audit: %w", err)
		}
	}
	next := ""
	if len(items) > 0 && len(items) == limit {
		next = items[len(items)-1].Token
	}
	return all, next, nil
}
