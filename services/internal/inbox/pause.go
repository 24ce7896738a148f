package inbox

import (
	"context"
	"errors"
	"fmt"

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
	op := docstore.Op{Collection: pauses, Doc: docstore.Doc{ID: id, JSON: []byte("{}")}, Delete: !paused}
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

func (b *Book) loadPauses(ctx context.Context) (map[string]bool, error) {
	paused := map[string]bool{}
	err := b.docs.Scan(ctx, pauses, func(d docstore.Doc) error {
		paused[d.ID] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read paused inboxes: %w", err)
	}
	return paused, nil
}
