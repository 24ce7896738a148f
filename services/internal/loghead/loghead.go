// Package loghead notices when the end of the event log is gone. A damaged file
// is cut by the server where it can still be read, and what is left looks whole;
// so how far the log reached is noted in the state store as well.
package loghead

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Log is the part of the event log that is needed.
type Log interface {
	Partitions() int
	// Extent is the last sequence, and how many up to it are not there any more.
	Extent(ctx context.Context, partition int) (last, gone uint64, err error)
}

// State is the part of the state store that is needed.
type State interface {
	Apply(ctx context.Context, b docstore.Batch) error
	Checkpoint(ctx context.Context, name string, partition int) (uint64, error)
	DropCheckpoints(ctx context.Context, name string) error
}

// Names of checkpoints. Stored: they stay.
const (
	head      = "log.head"
	gone      = "log.gone"      // how many were taken out
	clean     = "log.clean"     // gone was noted when nothing ran any more
	accepting = "log.accepting" // a loss is being accepted
)

// Loss is the end of a partition that is gone, or commits inside of it.
type Loss struct {
	Partition       int
	Expected, Found uint64 // last sequences; of Inside, how many commits
	Inside          bool
}

// LossError is a log that ends before what is known of it.
type LossError struct{ Losses []Loss }

func (e *LossError) Error() string {
	l := e.Losses[0]
	more := ""
	if n := len(e.Losses) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more partitions)", n)
	}
	if l.Inside {
		return fmt.Sprintf("partition %d of the event log should hold %d commits and holds %d%s: the log was damaged or cut; restore a backup, or go on without what is lost: hub accept-loss", l.Partition, l.Expected, l.Found, more)
	}
	return fmt.Sprintf("partition %d of the event log should reach to %d and ends at %d%s: the log was damaged or cut; restore a backup, or go on without what is lost: hub accept-loss", l.Partition, l.Expected, l.Found, more)
}

// ErrInterrupted: a loss was being accepted, and not all was done.
var ErrInterrupted = errors.New("accepting a loss of the event log was interrupted: hub accept-loss goes on with it")

// Check compares the end of each partition with what was noted, here and by
// followers. It is a *LossError when one ends before that.
func Check(ctx context.Context, log Log, state State, followers func(ctx context.Context, partition int) (uint64, error)) error {
	if begun, err := state.Checkpoint(ctx, accepting, 0); err != nil {
		return fmt.Errorf("check the end of the log: %w", err)
	} else if begun > 0 {
		return ErrInterrupted
	}
	losses, err := Losses(ctx, log, state, followers)
	if err != nil {
		return err
	}
	if len(losses) > 0 {
		return &LossError{losses}
	}
	return nil
}

// Losses are the partitions that end too early.
func Losses(ctx context.Context, log Log, state State, followers func(ctx context.Context, partition int) (uint64, error)) (losses []Loss, err error) {
	for p := range log.Partitions() {
		// First what is known, then the end: it may grow meanwhile.
		noted, err := state.Checkpoint(ctx, head, p)
		if err != nil {
			return nil, fmt.Errorf("read the noted end of partition %d: %w", p, err)
		}
		followed, err := followers(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("read how far partition %d was followed: %w", p, err)
		}
		out, err := state.Checkpoint(ctx, gone, p)
		if err != nil {
			return nil, fmt.Errorf("read what partition %d lacks: %w", p, err)
		}
		stopped, err := state.Checkpoint(ctx, clean, p)
		if err != nil {
			return nil, fmt.Errorf("read what partition %d lacks: %w", p, err)
		}
		at, lacks, err := log.Extent(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("check the end of the log: %w", err)
		}
		switch want := max(noted, followed); {
		case at < want:
			losses = append(losses, Loss{Partition: p, Expected: want, Found: at})
		case stopped > 0 && lacks > out: // while a hub runs, erasures take commits out
			losses = append(losses, Loss{Partition: p, Expected: at - out, Found: at - lacks, Inside: true})
		}
	}
	return losses, nil
}

// Note writes down where the partitions end. What was noted never goes back.
func Note(ctx context.Context, log Log, state State) error {
	var b docstore.Batch
	for p := range log.Partitions() {
		at, _, err := log.Extent(ctx, p)
		if err != nil {
			return fmt.Errorf("note the end of the log: %w", err)
		}
		noted, err := state.Checkpoint(ctx, head, p)
		if err != nil {
			return fmt.Errorf("note the end of the log: %w", err)
		}
		if at > noted {
			b.Checkpoints = append(b.Checkpoints, docstore.Checkpoint{Name: head, Partition: p, Seq: at})
		}
	}
	if len(b.Checkpoints) == 0 {
		return nil // an fsync less
	}
	if err := state.Apply(ctx, b); err != nil {
		return fmt.Errorf("note the end of the log: %w", err)
	}
	return nil
}

// Begin says that commits may be taken out from now on. Call it after Check.
func Begin(ctx context.Context, state State) error { return state.DropCheckpoints(ctx, clean) }

// End notes the log as it is when nothing uses it any more: the next Check
// knows of every commit that is gone since.
func End(ctx context.Context, log Log, state State) error {
	var b docstore.Batch
	for p := range log.Partitions() {
		_, lacks, err := log.Extent(ctx, p)
		if err != nil {
			return fmt.Errorf("note the end of the log: %w", err)
		}
		b.Checkpoints = append(b.Checkpoints, docstore.Checkpoint{Name: gone, Partition: p, Seq: lacks}, docstore.Checkpoint{Name: clean, Partition: p, Seq: 1})
	}
	if err := state.Apply(ctx, b); err != nil {
		return fmt.Errorf("note the end of the log: %w", err)
	}
	return nil
}

// Watch notes until ctx ends. Failures are for failed to tell: the next one makes good for them.
func Watch(ctx context.Context, every time.Duration, log Log, state State, failed func(error)) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := Note(ctx, log, state); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
	}
}

// Accept does the steps that make a log good for going on after a loss. Until
// all of them are done, Check is ErrInterrupted.
func Accept(ctx context.Context, state State, steps ...func(context.Context) error) error {
	if err := state.Apply(ctx, docstore.Batch{Checkpoints: []docstore.Checkpoint{{Name: accepting, Seq: 1}}}); err != nil {
		return fmt.Errorf("accept a loss: %w", err)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("accept a loss: %w", err)
		}
	}
	return state.DropCheckpoints(ctx, accepting)
}

// Interrupted says that Accept was begun and did not end.
func Interrupted(ctx context.Context, state State) (bool, error) {
	begun, err := state.Checkpoint(ctx, accepting, 0)
	return begun > 0, err
}
