package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// pauses keeps which inboxes an agent paused, also those of the file and the
// demo: what they are is not ours to change, whether they run is.
const pauses = "inbox_pauses"

// ErrPausedInFile: the configuration file says that the inbox is paused.
var ErrPausedInFile = errors.New("the configuration file pauses it (paused: true)")

// SetPaused pauses an inbox of any source or lets it go on. It is durable when
// it returns; adapters of this process hear of it at once, those of others
// within seconds. Saying the same again changes nothing.
func (b *Book) SetPaused(ctx context.Context, id string, paused bool) error {
	if _, ok := b.Get(id); !ok {
		return fmt.Errorf("inbox %s: %w", id, docstore.ErrNotFound)
	}
	b.mu.Lock()
	byFile := b.fixed[id].Paused
	b.mu.Unlock()
	if byFile && !paused {
		return fmt.Errorf("inbox %s: %w", id, ErrPausedInFile)
	}
	b.mu.Lock()
	already := b.isPaused(id)
	b.mu.Unlock()
	if already && paused {
		return nil // it keeps the time it was paused at
	}
	doc, err := json.Marshal(pause{time.Now().UTC()})
	if err != nil {
		return fmt.Errorf("pause inbox %s: %w", id, err)
	}
	op := docstore.Op{Collection: pauses, Doc: docstore.Doc{ID: id, JSON: doc}, Delete: !paused}
	if err := b.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("pause inbox %s: %w", id, err)
	}
	if !paused {
		// What was known is of before: its adapter says how it does once it runs.
		b.mu.Lock()
		h := b.health[id]
		h.State, h.Detail = "", ""
		b.health[id] = h
		b.mu.Unlock()
	}
	return b.reload(ctx)
}

// pause is stored: names stay.
type pause struct {
	At time.Time `json:"at"`
}

// isPaused is for those who hold the lock.
func (b *Book) isPaused(id string) bool {
	_, ok := b.paused[id]
	return ok
}

func (b *Book) loadPauses(ctx context.Context) (map[string]time.Time, error) {
	paused := map[string]time.Time{}
	err := b.docs.Scan(ctx, pauses, func(d docstore.Doc) error {
		var p pause
		if err := json.Unmarshal(d.JSON, &p); err != nil {
			return fmt.Errorf("pause of inbox %s: %w", d.ID, err)
		}
		paused[d.ID] = p.At
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read paused inboxes: %w", err)
	}
	return paused, nil
}
