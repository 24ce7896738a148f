// Package projection keeps read models and other followers up to date with an
// event store.
//
// Each partition is read once and shared by all sinks. A sink goes at its own
// pace, with its own checkpoint: one that is slow, failing or new reads for
// itself from where it is, and joins the others when it has caught up.
package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Sink is one follower. Apply and Checkpoint are called by one goroutine per
// partition: for one partition never at once, for two they may be.
type Sink interface {
	// Name is unique in a runner; for logs and metrics.
	Name() string
	// Checkpoint is the Seq of the last commit of a partition that was applied,
	// 0 for none. Asked at the start and after every failed Apply.
	Checkpoint(ctx context.Context, partition int) (uint64, error)
	// Apply applies commits of one partition, in order, and moves the checkpoint
	// to the last one, together or afterwards (then applying again must be
	// harmless). commits is never empty and shared with other sinks: do not
	// change it. After an error the checkpoint is asked and what follows it
	// comes again, in smaller batches.
	Apply(ctx context.Context, partition int, commits []eventstore.Commit) error
}

// Failure is one failed attempt of a sink, or of reading for it.
type Failure struct {
	Sink      string // "" where the shared reader failed
	Partition int
	First     uint64 // Seq of the first commit of the batch, 0 when reading failed
	Commits   int    // in the batch
	Attempt   int    // from 1, since the last success
	Err       error
}

// Config of a runner. Zero values are good.
type Config struct {
	// MaxBatch limits the commits of one Apply when up to date, default 500.
	// There is no waiting to fill a batch.
	MaxBatch int
	// MaxCatchUp limits them when behind, default 2000.
	MaxCatchUp int
	// Window is how many commits of a partition are kept for sinks that lag,
	// default 4096; WindowBytes limits their data, default 32 MiB.
	Window      int
	WindowBytes int
	// MinBackoff and MaxBackoff bound the pause after a failure, which doubles
	// with every one. Default 50 ms and 15 s.
	MinBackoff, MaxBackoff time.Duration
	// OnFailure is told every failure, in addition to the log. It must not block.
	OnFailure func(Failure)
	// Log gets failures and recoveries. Default: nothing.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&c.MaxBatch, 500)
	or(&c.MaxCatchUp, 2000)
	or(&c.Window, 4096)
	or(&c.WindowBytes, 32<<20)
	if c.MinBackoff <= 0 {
		c.MinBackoff = 50 * time.Millisecond
	}
	if c.MaxBackoff < c.MinBackoff {
		c.MaxBackoff = max(15*time.Second, c.MinBackoff)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Runner drives sinks. Make it with New, then call Run once.
type Runner struct {
	cfg     Config
	store   eventstore.Store
	windows []*window // by partition
	lanes   []*lane   // by sink, then partition
	stopped chan struct{}
}

// ErrStopped: the runner ended while something waited for it.
var ErrStopped = errors.New("projection runner has stopped")

// New makes a runner of sinks with different names.
func New(cfg Config, store eventstore.Store, sinks ...Sink) (*Runner, error) {
	cfg = cfg.withDefaults()
	r := &Runner{cfg: cfg, store: store, stopped: make(chan struct{})}
	for range store.Partitions() {
		r.windows = append(r.windows, newWindow(cfg.Window, cfg.WindowBytes))
	}
	names := map[string]bool{}
	for _, s := range sinks {
		if s.Name() == "" || names[s.Name()] {
			return nil, fmt.Errorf("new projection runner: sink name %q is empty or used twice", s.Name())
		}
		names[s.Name()] = true
		for p, w := range r.windows {
			l := &lane{cfg: cfg, store: store, sink: s, partition: p, window: w, changed: make(chan struct{})}
			w.lanes = append(w.lanes, l)
			r.lanes = append(r.lanes, l)
		}
	}
	return r, nil
}

// Run keeps the sinks up to date until ctx ends, then returns nil when all of
// them have stopped. Failures do not end it: it pauses and tries again.
func (r *Runner) Run(ctx context.Context) error {
	defer close(r.stopped)
	var all sync.WaitGroup
	for p, w := range r.windows {
		all.Go(func() { r.partition(ctx, p, w) })
	}
	all.Wait()
	return nil
}

// partition runs the shared reader and the lanes of one partition.
func (r *Runner) partition(ctx context.Context, p int, w *window) {
	retry := backoff{cfg: r.cfg}
	for {
		head, err := r.store.Head(ctx, p)
		if err == nil {
			w.start(head)
			break
		}
		if !retry.pause(ctx, Failure{Partition: p, Err: err}) {
			return
		}
	}
	var lanes sync.WaitGroup
	for _, l := range w.lanes {
		lanes.Go(func() { l.run(ctx) })
	}
	defer lanes.Wait()
	for ctx.Err() == nil {
		for c, err := range r.store.Follow(ctx, p, w.last()) {
			if err != nil {
				retry.pause(ctx, Failure{Partition: p, Err: err})
				break
			}
			retry.reset()
			w.add(c)
		}
	}
}
