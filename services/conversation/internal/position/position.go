// Package position keeps how far a follower of the log is, where saving it at
// once is not worth an fsync.
package position

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// saveEvery is how long a checkpoint may lag behind commits that call for
// nothing. Saving it is an fsync, on the disk that the log needs, and reading
// such commits again after a restart costs next to nothing.
const saveEvery = 250 * time.Millisecond

// Lazy holds positions after commits that called for nothing and saves them
// now and then. Put is safe for concurrent use.
type Lazy struct {
	Store docstore.Store
	Name  string // of the checkpoint
	Whose string // for people: "policy"
	Log   *slog.Logger

	mu sync.Mutex
	at map[int]uint64 // by partition
}

// Put notes a position to be saved by Run.
func (l *Lazy) Put(partition int, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		l.at = map[int]uint64{}
	}
	l.at[partition] = seq
}

func (l *Lazy) take() map[int]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.at
	l.at = nil
	return at
}

// Run saves positions until ctx ends, and then once more. One that is not
// saved is no harm: what follows it is looked at again.
func (l *Lazy) Run(ctx context.Context) error {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.save(context.WithoutCancel(ctx))
		case <-t.C:
			if err := l.save(ctx); err != nil && ctx.Err() == nil {
				l.Log.Warn("position of the "+l.Whose+" not saved", "error", err)
			}
		}
	}
}

func (l *Lazy) save(ctx context.Context) error {
	var b docstore.Batch
	for partition, seq := range l.take() {
		b.Checkpoints = append(b.Checkpoints, docstore.Checkpoint{Name: l.Name, Partition: partition, Seq: seq})
	}
	if len(b.Checkpoints) == 0 {
		return nil
	}
	if err := l.Store.Apply(ctx, b); err != nil {
		return fmt.Errorf("save position of the %s: %w", l.Whose, err)
	}
	return nil
}
