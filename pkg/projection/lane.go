package projection

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
)

// lane is one sink in one partition.
type lane struct {
	cfg       Config
	store     eventstore.Store
	sink      Sink
	partition int
	window    *window

	mu        sync.Mutex
	applied   uint64
	appliedAt time.Time
	idle      bool  // nothing known to be left to apply
	failure   error // of the last attempt
	changed   chan struct{}
}

func (l *lane) run(ctx context.Context) {
	retry := backoff{cfg: l.cfg}
	limit := l.cfg.MaxCatchUp
	resume := true // position unknown: ask the sink
	beat := paceOf(l.sink)
	for ctx.Err() == nil {
		if resume {
			if err := l.resume(ctx); err != nil {
				l.failed(err)
				retry.pause(ctx, l.describe(nil, err))
				continue
			}
			resume = false
		}
		beat.wait(ctx)
		commits, err := l.next(ctx, limit)
		if err == nil && len(commits) > 0 {
			beat.begin()
			err = l.sink.Apply(ctx, l.partition, commits)
			beat.end(len(commits) < l.cfg.MaxBatch)
			resume = err != nil
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err != nil:
			l.failed(err)
			if len(commits) > 0 { // smaller batches let the good commits pass and end at the bad one
				limit = max(1, len(commits)/2)
			}
			retry.pause(ctx, l.describe(commits, err))
		case len(commits) > 0:
			last := commits[len(commits)-1]
			l.progress(last.Seq, last.RecordedAt)
			l.window.trim()
			limit = min(2*limit, l.cfg.MaxCatchUp)
			retry.reset()
		}
	}
}

// next waits for commits after the position. It may give none and no error.
func (l *lane) next(ctx context.Context, limit int) ([]eventstore.Commit, error) {
	after := l.position()
	commits, behind, floor, grown := l.window.take(after, min(limit, l.cfg.MaxBatch))
	switch {
	case behind:
		commits, err := l.store.Read(ctx, l.partition, after+1, limit)
		if err != nil {
			return nil, fmt.Errorf("read from %d: %w", after+1, err)
		}
		if len(commits) == 0 { // what was there has been erased
			l.progress(floor, time.Time{})
		}
		return commits, nil
	case len(commits) > 0:
		return commits, nil
	}
	l.setIdle()
	select {
	case <-ctx.Done():
	case <-grown:
	}
	return nil, ctx.Err()
}

// resume takes the position from the sink's checkpoint.
func (l *lane) resume(ctx context.Context) error {
	checkpoint, err := l.sink.Checkpoint(ctx, l.partition)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if checkpoint > l.window.last() {
		head, err := l.store.Head(ctx, l.partition)
		if err != nil {
			return err
		}
		if checkpoint > head {
			return fmt.Errorf("checkpoint %d is beyond the end %d of partition %d: the log was damaged or cut, or is older than the sink",
				checkpoint, head, l.partition)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied, l.idle = checkpoint, false
	l.wake()
	return nil
}

func (l *lane) position() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.applied
}

func (l *lane) progress(seq uint64, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied, l.idle, l.failure = seq, false, nil
	if !at.IsZero() {
		l.appliedAt = at
	}
	l.wake()
}

func (l *lane) setIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.idle {
		l.idle = true
		l.wake()
	}
}

func (l *lane) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = err
}

// wake tells who waits. The caller holds the lock.
func (l *lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lane) describe(commits []eventstore.Commit, err error) Failure {
	f := Failure{Sink: l.sink.Name(), Partition: l.partition, Commits: len(commits), Err: err}
	if len(commits) > 0 {
		f.First = commits[0].Seq
	}
	return f
}
