package projection

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// WaitFor waits until a sink has applied a partition up to seq. It fails when
// ctx ends (with the sink's last failure, if it is failing) or the runner does.
func (r *Runner) WaitFor(ctx context.Context, sink string, partition int, seq uint64) error {
	for _, l := range r.lanes {
		if l.sink.Name() == sink && l.partition == partition {
			return r.wait(ctx, l, seq, false)
		}
	}
	return fmt.Errorf("wait for sink %q, partition %d: there is none", sink, partition)
}

// CatchUp waits until the named sinks (none named: all) have applied all that
// was in the store when it was called.
func (r *Runner) CatchUp(ctx context.Context, sinks ...string) error {
	wanted := map[string]bool{}
	for _, name := range sinks {
		wanted[name] = true
	}
	heads := make([]uint64, len(r.windows))
	for p := range heads {
		var err error
		if heads[p], err = r.store.Head(ctx, p); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
	found := map[string]bool{}
	for _, l := range r.lanes {
		if len(wanted) > 0 && !wanted[l.sink.Name()] {
			continue
		}
		found[l.sink.Name()] = true
		if err := r.wait(ctx, l, heads[l.partition], true); err != nil {
			return err
		}
	}
	for name := range wanted {
		if !found[name] {
			return fmt.Errorf("catch up: there is no sink %q", name)
		}
	}
	return nil
}

// wait with erased: seq need not exist any more.
func (r *Runner) wait(ctx context.Context, l *lane, seq uint64, erased bool) error {
	for {
		l.mu.Lock()
		applied, idle, failure, changed := l.applied, l.idle, l.failure, l.changed
		l.mu.Unlock()
		if applied >= seq {
			return nil
		}
		if erased && idle {
			left, err := r.store.Read(ctx, l.partition, applied+1, 1)
			if err != nil {
				return fmt.Errorf("wait for sink %s: %w", l.sink.Name(), err)
			}
			if len(left) == 0 || left[0].Seq > seq {
				return nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for sink %s to apply %d of partition %d, is at %d: %w",
				l.sink.Name(), seq, l.partition, applied, errors.Join(ctx.Err(), failure))
		case <-r.stopped:
			return fmt.Errorf("wait for sink %s: %w", l.sink.Name(), ErrStopped)
		}
	}
}

// Lag is how far a sink is in a partition.
type Lag struct {
	Sink      string
	Partition int
	Applied   uint64        // Seq of the last commit applied
	Head      uint64        // Seq of the last commit seen; Head − Applied bounds the commits left from above
	Behind    time.Duration // between recording Head and Applied, 0 where not known
	Err       error         // of the last attempt, nil when it succeeded
}

// Lags tells of all sinks and partitions, from memory, at any time.
func (r *Runner) Lags() []Lag {
	lags := make([]Lag, 0, len(r.lanes))
	for _, l := range r.lanes {
		l.window.mu.Lock()
		head, headAt := l.window.head, l.window.headAt
		l.window.mu.Unlock()
		l.mu.Lock()
		lag := Lag{Sink: l.sink.Name(), Partition: l.partition, Applied: l.applied, Head: max(head, l.applied), Err: l.failure}
		if l.applied < head && !headAt.IsZero() && !l.appliedAt.IsZero() {
			lag.Behind = max(0, headAt.Sub(l.appliedAt))
		}
		l.mu.Unlock()
		lags = append(lags, lag)
	}
	return lags
}
