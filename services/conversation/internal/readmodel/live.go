package readmodel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Live is the generation that serves. It follows the switch to another one
// while reads and projection go on.
type Live struct {
	store  docstore.Store
	keys   Keys
	decode Decoder
	events eventstore.Store
	log    *slog.Logger

	apply []sync.Mutex // one per partition; all of them are held to switch

	mu       sync.RWMutex
	cur      *serving
	switched chan struct{} // closed and replaced at a switch
}

type serving struct {
	*Projector
	reads sync.WaitGroup
}

// OpenLive opens the serving generation, and makes the first one where store and log are empty.
// Documents of another Schema are not served, nor half of what the log holds: ErrRebuild.
func OpenLive(ctx context.Context, store docstore.Store, keys Keys, decode Decoder, events eventstore.Store, log *slog.Logger) (*Live, error) {
	st, err := LoadState(ctx, store)
	if err != nil {
		return nil, err
	}
	if st.Current == 0 {
		if err := begun(ctx, events); err != nil {
			return nil, err
		}
		st.Current, st.Schema = 1, Schema
		if err := SaveState(ctx, store, &st); err != nil && !errors.Is(err, docstore.ErrStale) && !errors.Is(err, docstore.ErrExists) {
			return nil, err
		}
		if st, err = LoadState(ctx, store); err != nil {
			return nil, err
		}
	}
	if st.Schema != Schema {
		return nil, fmt.Errorf("read models have schema %d, this program reads %d: %w", st.Schema, Schema, ErrRebuild)
	}
	p, err := NewProjector(ctx, store, keys, decode, st.Current, events.Partitions())
	if err != nil {
		return nil, err
	}
	return &Live{
		store: store, keys: keys, decode: decode, events: events, log: log,
		apply: make([]sync.Mutex, events.Partitions()), cur: &serving{Projector: p}, switched: make(chan struct{}),
	}, nil
}

// begun is ErrRebuild for a log that holds something.
func begun(ctx context.Context, events eventstore.Store) error {
	for i := range events.Partitions() {
		head, err := events.Head(ctx, i)
		if err != nil {
			return fmt.Errorf("head of partition %d: %w", i, err)
		}
		if head > 0 {
			return fmt.Errorf("there are none, and the log is not empty: %w", ErrRebuild)
		}
	}
	return nil
}

// Acquire returns the serving generation; it stays readable until release.
func (l *Live) Acquire() (p *Projector, release func()) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.cur
	s.reads.Add(1)
	return s.Projector, s.reads.Done
}

// Name of the sink.
func (l *Live) Name() string { return "readmodel" }

// Store is where the documents are.
func (l *Live) Store() docstore.Store { return l.store }

// Apply projects into the serving generation.
func (l *Live) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	l.apply[partition].Lock()
	defer l.apply[partition].Unlock()
	p, release := l.Acquire()
	defer release()
	return p.Apply(ctx, partition, commits)
}

// Graph says who is one person, as far as the serving generation is applied.
// It follows every Apply; after a switch of generations take it anew.
func (l *Live) Graph() *person.Graph {
	p, release := l.Acquire()
	defer release()
	return p.Graph()
}

// Checkpoint is where projecting a partition goes on.
func (l *Live) Checkpoint(ctx context.Context, partition int) (uint64, error) {
	p, release := l.Acquire()
	defer release()
	return p.Checkpoint(ctx, partition)
}

// Applied is the last sequence of a partition that reads see.
func (l *Live) Applied(partition int) uint64 {
	p, release := l.Acquire()
	defer release()
	return p.Applied(partition)
}

// Vector is Applied of all partitions.
func (l *Live) Vector() []uint64 {
	p, release := l.Acquire()
	defer release()
	return p.Vector()
}

// WaitFor returns when reads see the commit, or with ctx's error.
func (l *Live) WaitFor(ctx context.Context, partition int, seq uint64) error {
	for {
		l.mu.RLock()
		p, switched := l.cur.Projector, l.switched
		l.mu.RUnlock()
		done, changed := p.reached(partition, seq)
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-switched:
		case <-ctx.Done():
			return fmt.Errorf("wait for sequence %d of partition %d: %w", seq, partition, ctx.Err())
		}
	}
}

// Freeze holds projection (reads go on) while fn looks at the documents of one moment.
func (l *Live) Freeze(fn func(p *Projector) error) error {
	for i := range l.apply {
		l.apply[i].Lock()
		defer l.apply[i].Unlock()
	}
	p, release := l.Acquire()
	defer release()
	return fn(p)
}

// Refresh looks whether another generation was chosen, and if so brings it up
// to what is shown now and serves it. It returns after the last read of the old one.
func (l *Live) Refresh(ctx context.Context) (switched bool, err error) {
	st, err := loadState(ctx, l.store)
	if err != nil {
		return false, err
	}
	l.mu.RLock()
	old := l.cur
	l.mu.RUnlock()
	if st.Current == old.gen || st.Schema != Schema {
		return false, nil
	}
	next, err := NewProjector(ctx, l.store, l.keys, l.decode, st.Current, len(l.apply))
	if err != nil {
		return false, err
	}
	if err := l.switchTo(ctx, old, next); err != nil {
		return false, err
	}
	l.log.Info("read models switched", "from", old.gen, "to", next.gen)
	old.reads.Wait()
	return true, nil
}

// switchTo holds projection (not reads) while next catches up with what is shown.
func (l *Live) switchTo(ctx context.Context, old *serving, next *Projector) error {
	for i := range l.apply {
		l.apply[i].Lock()
		defer l.apply[i].Unlock()
	}
	for i := range l.apply {
		if err := CatchUp(ctx, l.events, next, i, old.Applied(i), nil); err != nil {
			return fmt.Errorf("bring generation %d up to date: %w", next.gen, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur = &serving{Projector: next}
	close(l.switched)
	l.switched = make(chan struct{})
	return nil
}

// Watch follows switches made by others until ctx ends.
func (l *Live) Watch(ctx context.Context, every time.Duration) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if _, err := l.Refresh(ctx); err != nil && ctx.Err() == nil {
				l.log.Warn("read models: looking for another generation failed", "err", err)
			}
		}
	}
}
