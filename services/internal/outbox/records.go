package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

const collection = "outbox_attempts"

// Collection is what Run declares in the state database.
var Collection = docstore.Collection{
	Name:    collection,
	Indexes: []docstore.Index{{Name: "done", Prefix: []string{"done"}, Sort: "at"}},
}

// keepDone is how long a final record guards against the message being
// published or delivered again.
const keepDone = 30 * 24 * time.Hour

// records keeps what is known about messages: in memory for this process, and
// in the state database for the next one.
type records struct {
	db docstore.Store // nil: the channel's send is idempotent

	mu   sync.Mutex
	live map[string]*known
}

type known struct {
	record
	dirty bool // the database does not have it yet
}

func newRecords(db docstore.Store) *records {
	return &records{db: db, live: make(map[string]*known)}
}

// get finds the record of a message; a new one when there is none. What could
// not be written before is written first.
func (r *records) get(ctx context.Context, id string) (record, error) {
	r.mu.Lock()
	k := r.live[id]
	r.mu.Unlock()
	if k != nil {
		if k.dirty {
			if err := r.put(ctx, id, k.record); err != nil {
				return record{}, err
			}
		}
		return k.record, nil
	}
	if r.db == nil {
		return record{}, nil
	}
	d, err := r.db.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return record{}, nil
	}
	if err != nil {
		return record{}, fmt.Errorf("read send attempt: %w", err)
	}
	var rec record
	if err := json.Unmarshal(d.JSON, &rec); err != nil {
		return record{}, fmt.Errorf("read send attempt: %w", err)
	}
	return rec, nil
}

// begin records an attempt before it is made. On an error it must not be made.
func (r *records) begin(ctx context.Context, id string, rec record) error {
	return r.put(ctx, id, rec)
}

// note records what is true whether or not it can be written now.
func (r *records) note(ctx context.Context, id string, rec record) error {
	r.remember(id, rec, true)
	return r.put(ctx, id, rec)
}

func (r *records) put(ctx context.Context, id string, rec record) error {
	if r.db != nil {
		j, err := json.Marshal(rec)
		if err != nil {
			return fmt.Errorf("encode send attempt: %w", err)
		}
		op := docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id, JSON: j}}
		if err := r.db.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
			return fmt.Errorf("write send attempt: %w", err)
		}
	}
	r.remember(id, rec, false)
	return nil
}

func (r *records) remember(id string, rec record, dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[id] = &known{rec, dirty}
}

// forget frees the memory of a message that is acknowledged.
func (r *records) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, id)
}

// prune removes final records that are old enough.
func (r *records) prune(ctx context.Context, now time.Time) error {
	if r.db == nil {
		return nil
	}
	for {
		old, err := r.db.List(ctx, collection, docstore.Query{
			Index: "done", Prefix: []any{true}, To: now.Add(-keepDone).UnixMilli(), Limit: 500,
		})
		if err != nil {
			return fmt.Errorf("list old send attempts: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		var b docstore.Batch
		for _, it := range old {
			b.Ops = append(b.Ops, docstore.Op{Collection: collection, Doc: docstore.Doc{ID: it.ID}, Delete: true})
		}
		if err := r.db.Apply(ctx, b); err != nil {
			return fmt.Errorf("remove old send attempts: %w", err)
		}
	}
}
