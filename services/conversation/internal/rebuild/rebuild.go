// Package rebuild makes the read models anew from the log while the old ones
// serve (blue/green): after an upgrade that shows more, or when they are in doubt.
//
//	new generation ─► replay from the first commit ─► nearly caught up ─► switch ─► drop the old one
//
// Which generation serves is one guarded document, so the switch is atomic. A
// rebuild that was killed goes on where it was.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Deps are what a rebuild works with.
type Deps struct {
	Store  docstore.Store
	Events eventstore.Store
	Keys   readmodel.Keys
	Decode readmodel.Decoder
	// Live, when the hub runs in this process, is switched before Run returns.
	Live *readmodel.Live
	// Grace is how long the old generation is kept for other processes that
	// have not noticed the switch; 0 when there are none.
	Grace time.Duration
	// Progress hears of every batch, from several goroutines.
	Progress func(Progress)
	Log      *slog.Logger
	// Wait before a log that does not answer is asked again; 0: five seconds.
	Wait time.Duration
}

func (d Deps) wait() time.Duration {
	if d.Wait > 0 {
		return d.Wait
	}
	return 5 * time.Second
}

// Progress of one partition.
type Progress struct {
	Generation int
	Partition  int
	Applied    uint64
	Head       uint64 // when this round began
}

// Report says what was done.
type Report struct {
	Generation int // that serves now
	Resumed    bool
	Commits    int // replayed by this run
	Took       time.Duration
}

// near is how many commits may be left for the switch itself to replay.
const near = 500

// patience is how often in a row a log that does not answer is waited for.
const patience = 20

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Run rebuilds and switches. It returns an error when another rebuild finished
// first, and leaves what it has done to the next one.
func Run(ctx context.Context, d Deps) (Report, error) {
	begun := time.Now()
	st, resumed, err := begin(ctx, d)
	if err != nil {
		return Report{}, err
	}
	report := Report{Generation: st.Building, Resumed: resumed}
	p, err := readmodel.NewProjector(ctx, d.Store, d.Keys, d.Decode, st.Building, d.Events.Partitions())
	if err != nil {
		return report, err
	}
	d.Log.Info("read models: rebuild begins", "generation", st.Building, "resumed", resumed)
	for idle := 0; ; {
		n, err := replay(ctx, d, p)
		report.Commits += n
		if n > 0 {
			idle = 0
		}
		// Hours of work are not given up for a log that is busy for a minute.
		if errors.Is(err, eventstore.ErrUnavailable) && idle < patience && ctx.Err() == nil {
			idle++
			d.Log.Warn("read models: the log does not answer, rebuild waits", "generation", st.Building, "commits", report.Commits)
			if err = pause(ctx, d.wait()); err == nil {
				continue
			}
		}
		if err != nil {
			return report, fmt.Errorf("rebuild generation %d: %w", st.Building, err)
		}
		if n <= near {
			break
		}
	}
	if err := finish(ctx, d, &st); err != nil {
		return report, err
	}
	report.Took = time.Since(begun)
	d.Log.Info("read models: rebuilt", "generation", report.Generation, "commits", report.Commits, "took", report.Took)
	return report, nil
}

// begin chooses the generation: the one a killed rebuild left, if this program can go on with it.
func begin(ctx context.Context, d Deps) (st readmodel.State, resumed bool, err error) {
	if st, err = readmodel.LoadState(ctx, d.Store); err != nil {
		return st, false, err
	}
	if st, err = drop(ctx, d, st); err != nil {
		return st, false, err
	}
	if st.Building != 0 && st.BuildingSchema == readmodel.Schema {
		return st, true, nil
	}
	if st.Building != 0 {
		st.Dropping = append(st.Dropping, st.Building)
	}
	st.Building, st.BuildingSchema = max(st.Current, st.Building)+1, readmodel.Schema
	// An earlier generation of this number can have left something behind.
	if err := readmodel.DropGeneration(ctx, d.Store, readmodel.NamesOf(st.Building)); err != nil {
		return st, false, err
	}
	if err := readmodel.SaveState(ctx, d.Store, &st); err != nil {
		return st, false, err
	}
	st, err = drop(ctx, d, st)
	return st, false, err
}

// replay brings all partitions up to what is in the log now.
func replay(ctx context.Context, d Deps, p *readmodel.Projector) (commits int, err error) {
	errs := make([]error, d.Events.Partitions())
	counts := make([]int, len(errs))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			head, err := d.Events.Head(ctx, i)
			if err != nil {
				errs[i] = fmt.Errorf("head of partition %d: %w", i, err)
				return
			}
			errs[i] = readmodel.CatchUp(ctx, d.Events, p, i, head, func(n int) {
				counts[i] += n
				if d.Progress != nil {
					d.Progress(Progress{Generation: p.Generation(), Partition: i, Applied: p.Applied(i), Head: head})
				}
			})
		})
	}
	all.Wait()
	for _, n := range counts {
		commits += n
	}
	return commits, errors.Join(errs...)
}

// finish switches and drops the old generation.
func finish(ctx context.Context, d Deps, st *readmodel.State) error {
	if st.Current != 0 {
		st.Dropping = append(st.Dropping, st.Current)
	}
	st.Current, st.Schema, st.Building, st.BuildingSchema = st.Building, st.BuildingSchema, 0, 0
	if err := readmodel.SaveState(ctx, d.Store, st); err != nil {
		return fmt.Errorf("switch read models to generation %d: %w", st.Current, err)
	}
	if d.Live != nil {
		if _, err := d.Live.Refresh(ctx); err != nil {
			return fmt.Errorf("serve generation %d: %w", st.Current, err)
		}
	}
	if d.Grace > 0 {
		t := time.NewTimer(d.Grace)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil // switched; the next rebuild drops what is left
		}
	}
	_, err := drop(ctx, d, *st)
	return err
}

// drop removes generations nobody serves.
func drop(ctx context.Context, d Deps, st readmodel.State) (readmodel.State, error) {
	if len(st.Dropping) == 0 {
		return st, nil
	}
	for _, gen := range st.Dropping {
		if gen == st.Current || gen == st.Building {
			continue
		}
		if err := readmodel.DropGeneration(ctx, d.Store, readmodel.NamesOf(gen)); err != nil {
			return st, err
		}
	}
	st.Dropping = nil
	if err := readmodel.SaveState(ctx, d.Store, &st); err != nil {
		return st, err
	}
	return st, nil
}
