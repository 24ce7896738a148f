package aggregate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/oneatatime"
)

// Config of a Repository. The zero value of a field takes the default.
type Config struct {
	CacheSize     int // states held; default 10,000
	SnapshotEvery int // commits; default 100
	Attempts      int // at one turn, against conflicts and unknown outcomes; default 20
	// Backoff is how long to wait before the n-th repetition (from 1).
	// Default: a random time up to n × 2 ms, at most 50 ms.
	Backoff func(n int) time.Duration
	Now     func() time.Time // default time.Now
}

func (c *Config) defaults() {
	if c.CacheSize <= 0 {
		c.CacheSize = 10_000
	}
	if c.SnapshotEvery <= 0 {
		c.SnapshotEvery = 100
	}
	if c.Attempts <= 0 {
		c.Attempts = 20
	}
	if c.Backoff == nil {
		c.Backoff = func(n int) time.Duration {
			return rand.N(min(time.Duration(n)*2*time.Millisecond, 50*time.Millisecond))
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Repository loads and changes the aggregates of one model. Safe for concurrent use.
type Repository[S any] struct {
	model     Model[S]
	store     eventstore.Store
	snapshots eventstore.Snapshots
	cfg       Config
	log       *slog.Logger
	cache     *cache[S]
	loads     oneatatime.Gate
}

// New makes a repository. snapshots may be nil.
func New[S any](cfg Config, model Model[S], store eventstore.Store, snapshots eventstore.Snapshots, log *slog.Logger) *Repository[S] {
	cfg.defaults()
	return &Repository[S]{
		model: model, store: store, snapshots: snapshots, cfg: cfg,
		log: log.With("aggregate", model.Kind), cache: newCache[S](cfg.CacheSize),
	}
}

// Stream names an aggregate's stream.
func (r *Repository[S]) Stream(id string) string { return r.model.Kind + "." + id }

// Peek returns the state as last known here: cheap, possibly stale.
func (r *Repository[S]) Peek(ctx context.Context, tenant, id string) (S, error) {
	if h, ok := r.cache.get(tenant + "." + id); ok {
		return h.state, nil
	}
	h, err := r.load(ctx, tenant, id)
	return h.state, err
}

// Load returns the state with everything that is stored now.
func (r *Repository[S]) Load(ctx context.Context, tenant, id string) (S, error) {
	s, _, _, err := r.Tip(ctx, tenant, id)
	return s, err
}

// Tip is Load with the sequence of the stream's last commit and its time, 0 for
// an empty stream.
func (r *Repository[S]) Tip(ctx context.Context, tenant, id string) (S, uint64, time.Time, error) {
	h, ok := r.cache.get(tenant + "." + id)
	var err error
	if ok {
		h, err = r.catchUp(ctx, tenant, id, h)
	} else {
		h, err = r.load(ctx, tenant, id)
	}
	return h.state, h.seq, h.at, err
}

// Find returns a stored commit of an aggregate by its id. It reads the stream
// from its beginning: for repeated commands, not for the way of every message.
func (r *Repository[S]) Find(ctx context.Context, tenant, id, commit string) (eventstore.Commit, bool, error) {
	for c, err := range r.History(ctx, tenant, id) {
		if err != nil {
			return eventstore.Commit{}, false, err
		}
		if c.ID == commit {
			return c, true, nil
		}
	}
	return eventstore.Commit{}, false, nil
}

// History yields all commits of an aggregate, oldest first.
func (r *Repository[S]) History(ctx context.Context, tenant, id string) iter.Seq2[eventstore.Commit, error] {
	return func(yield func(eventstore.Commit, error) bool) {
		for c, err := range r.store.Load(ctx, tenant, r.Stream(id), 0) {
			if err != nil {
				yield(eventstore.Commit{}, fmt.Errorf("read %s: %w", r.Stream(id), err))
				return
			}
			if !yield(r.located(tenant, id, c), nil) {
				return
			}
		}
	}
}

// At returns the commit of an aggregate at a sequence.
func (r *Repository[S]) At(ctx context.Context, tenant, id string, seq uint64) (eventstore.Commit, bool, error) {
	for c, err := range r.store.Load(ctx, tenant, r.Stream(id), seq-1) {
		if err != nil {
			return eventstore.Commit{}, false, fmt.Errorf("read %s at %d: %w", r.Stream(id), seq, err)
		}
		return r.located(tenant, id, c), c.Seq == seq, nil
	}
	return eventstore.Commit{}, false, nil
}

// Partition is where an aggregate's stream lives.
func (r *Repository[S]) Partition(tenant, id string) int {
	return r.store.PartitionOf(tenant, r.Stream(id))
}

func (r *Repository[S]) located(tenant, id string, c eventstore.Commit) eventstore.Commit {
	c.Tenant, c.Stream, c.Partition = tenant, r.Stream(id), r.Partition(tenant, id)
	return c
}

// load folds the snapshot and the tail. Of those who need the same aggregate at
// once one folds and the others wait for what he found.
func (r *Repository[S]) load(ctx context.Context, tenant, id string) (held[S], error) {
	var h held[S]
	key := tenant + "." + id
	done, err := r.loads.Begin(ctx, key)
	if err != nil {
		return h, fmt.Errorf("wait for somebody who loads %s: %w", r.Stream(id), err)
	}
	defer done()
	if h, ok := r.cache.get(key); ok {
		return r.catchUp(ctx, tenant, id, h)
	}
	if r.snapshots != nil {
		snap, ok, err := r.snapshots.LoadSnapshot(ctx, tenant, r.Stream(id))
		if err != nil && ctx.Err() != nil {
			return h, fmt.Errorf("load snapshot of %s: %w", r.Stream(id), err)
		}
		if err != nil { // losing one costs time only
			r.log.Warn("snapshot not readable", "error", err)
		}
		var s stored[S]
		if err == nil && ok && snap.V == r.model.Version && json.Unmarshal(snap.State, &s) == nil {
			h = held[S]{state: s.State, seq: snap.Seq, at: s.At}
		}
	}
	return r.catchUp(ctx, tenant, id, h)
}

// refold folds the whole stream onto a given beginning. What it holds beyond the
// bounds is for one decision and in no snapshot.
func (r *Repository[S]) refold(ctx context.Context, tenant, id string, begin S) (held[S], error) {
	return r.fold(ctx, tenant, id, held[S]{state: begin}, func(h held[S]) held[S] { return h })
}

// longFold is after how many commits a fold that is under way is kept: whoever
// has to give up, or is stopped, has not folded them in vain.
const longFold = 10_000

// catchUp folds what was appended since. A fold of many commits leaves a
// snapshot behind, also when nothing comes of the order it was for.
func (r *Repository[S]) catchUp(ctx context.Context, tenant, id string, h held[S]) (held[S], error) {
	h, err := r.fold(ctx, tenant, id, h, func(h held[S]) held[S] {
		if h.since < longFold {
			return h
		}
		return r.snapshot(ctx, tenant, id, h)
	})
	if err != nil || h.since < r.cfg.SnapshotEvery {
		return h, err
	}
	h = r.snapshot(ctx, tenant, id, h)
	r.remember(tenant, id, h)
	return h, nil
}

// fold folds what was appended since; keep is called after each commit.
func (r *Repository[S]) fold(ctx context.Context, tenant, id string, h held[S], keep func(held[S]) held[S]) (held[S], error) {
	for c, err := range r.store.Load(ctx, tenant, r.Stream(id), h.seq) {
		if err != nil {
			return held[S]{}, fmt.Errorf("load %s after %d: %w", r.Stream(id), h.seq, err)
		}
		d, err := codec.Commit(r.located(tenant, id, c))
		if err != nil {
			return held[S]{}, err
		}
		h = keep(held[S]{state: r.model.Evolve(h.state, d), seq: c.Seq, at: c.RecordedAt, since: h.since + 1})
	}
	if h.seq > 0 {
		r.remember(tenant, id, h)
	}
	return h, nil
}

func (r *Repository[S]) remember(tenant, id string, h held[S]) {
	if r.model.Keep != nil {
		h.state = r.model.Keep(h.state)
	}
	r.cache.put(tenant+"."+id, h)
}

// stored is the JSON of a snapshot.
type stored[S any] struct {
	At    time.Time `json:"at"`
	State S         `json:"state"`
}

func (r *Repository[S]) snapshot(ctx context.Context, tenant, id string, h held[S]) held[S] {
	if r.snapshots == nil || h.since < r.cfg.SnapshotEvery {
		return h
	}
	h.since = 0
	kept := h.state
	if r.model.Keep != nil {
		kept = r.model.Keep(kept)
	}
	data, err := json.Marshal(stored[S]{At: h.at, State: kept})
	if err == nil {
		err = r.snapshots.SaveSnapshot(ctx, tenant, r.Stream(id), eventstore.Snapshot{Seq: h.seq, State: data, V: r.model.Version})
	}
	if err != nil {
		r.log.Warn("snapshot not saved", "error", err)
	}
	return h
}

var errConflict = errors.New("too many conflicts")

func (r *Repository[S]) wait(ctx context.Context, n int) error {
	d := r.cfg.Backoff(n)
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func decoded(c eventstore.Commit, events []event.Event) event.Commit {
	return event.Commit{ID: c.ID, Stream: c.Stream, Seq: c.Seq, At: c.RecordedAt, Actor: c.Actor, Events: events}
}
