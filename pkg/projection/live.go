package projection

import (
	"context"
	"sync"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Live is a sink without memory across restarts: it begins at the end of the
// store when it is first asked, and gets every commit from there on, once while
// apply succeeds.
func Live(name string, store eventstore.Store, apply func(ctx context.Context, partition int, commits []eventstore.Commit) error) Sink {
	return &live{name: name, store: store, apply: apply, at: map[int]uint64{}}
}

type live struct {
	name  string
	store eventstore.Store
	apply func(context.Context, int, []eventstore.Commit) error

	mu sync.Mutex
	at map[int]uint64
}

func (l *live) Name() string { return l.name }

func (l *live) Checkpoint(ctx context.Context, partition int) (uint64, error) {
	l.mu.Lock()
	at, begun := l.at[partition]
	l.mu.Unlock()
	if begun {
		return at, nil
	}
	at, err := l.store.Head(ctx, partition)
	if err == nil {
		l.set(partition, at)
	}
	return at, err
}

func (l *live) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	if err := l.apply(ctx, partition, commits); err != nil {
		return err
	}
	l.set(partition, commits[len(commits)-1].Seq)
	return nil
}

func (l *live) set(partition int, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[partition] = seq
}
