package aggregate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Outcome of a turn.
type Outcome[S any] struct {
	State S
	// Commit and Events are what was appended; Appended is false when the
	// decision was that nothing is to be done (or is done already).
	Appended bool
	Commit   eventstore.Commit
	Events   []event.Event
}

// Execute decides and appends until it is done, refused, or Attempts are used
// up. An error of Decide is returned as it is, and only when it was decided on
// the newest state. A commit that is there already counts as nothing to do.
func (r *Repository[S]) Execute(ctx context.Context, tenant, id string, t Turn[S]) (Outcome[S], error) {
	h, cached := r.cache.get(tenant + "." + id)
	var err error
	if !cached {
		if h, err = r.load(ctx, tenant, id); err != nil {
			return Outcome[S]{}, err
		}
	}
	fresh := !cached
	for n := 1; n <= r.cfg.Attempts; n++ {
		events, derr := t.Decide(h.state)
		if begin, ok := r.model.Refold(h.state, derr); derr != nil && ok {
			if h, err = r.refold(ctx, tenant, id, begin); err != nil {
				return Outcome[S]{}, err
			}
			fresh = true
			continue
		}
		if derr != nil || len(events) == 0 {
			if fresh || derr != nil && r.model.Asks != nil && r.model.Asks(derr) {
				return Outcome[S]{State: h.state}, derr
			}
			// What is refused or done on a stale state may not be on the newest.
			if h, err = r.catchUp(ctx, tenant, id, h); err != nil {
				return Outcome[S]{}, err
			}
			fresh = true
			continue
		}
		out, again, err := r.try(ctx, tenant, id, t, h, events)
		if err != nil || !again {
			return out, err
		}
		if err := r.wait(ctx, n); err != nil {
			return Outcome[S]{}, fmt.Errorf("wait to append to %s again: %w", r.Stream(id), err)
		}
		if h, err = r.catchUp(ctx, tenant, id, h); err != nil {
			return Outcome[S]{}, err
		}
		fresh = true
	}
	return Outcome[S]{}, fmt.Errorf("append %s to %s: %w", t.ID, r.Stream(id), errConflict)
}

// try appends once; again asks for a reload.
func (r *Repository[S]) try(ctx context.Context, tenant, id string, t Turn[S], h held[S], events []event.Event) (out Outcome[S], again bool, err error) {
	if t.Fill != nil {
		if err := t.Fill(ctx, h.state, events); err != nil {
			return out, false, err
		}
	}
	records, err := codec.Encode(events)
	if err != nil {
		return out, false, err
	}
	if t.Name != nil {
		t.ID = t.Name(h.state)
	}
	c := eventstore.Commit{
		ID: t.ID, RecordedAt: r.recordedAt(t.At, h.at, t.Seen),
		Actor: t.Actor, Cause: t.Cause, Trace: t.Trace, Records: records,
	}
	res, err := r.append(ctx, eventstore.Append{Tenant: tenant, Stream: r.Stream(id), Expect: h.seq, Commit: c})
	if err != nil {
		_, conflict := errors.AsType[*eventstore.ConflictError](err)
		if conflict {
			return out, true, nil
		}
		return out, false, fmt.Errorf("append %s to %s: %w", t.ID, r.Stream(id), err)
	}
	if res.Duplicate {
		// It may have been decided otherwise the first time: read it back.
		h, err = r.catchUp(ctx, tenant, id, h)
		return Outcome[S]{State: h.state}, false, err
	}
	c = r.located(tenant, id, c)
	c.Seq, c.Prev = res.Seq, h.seq
	h = held[S]{state: r.model.Evolve(h.state, decoded(c, events)), seq: c.Seq, at: c.RecordedAt, since: h.since + 1}
	if r.model.Keep != nil {
		h.state = r.model.Keep(h.state)
	}
	h = r.snapshot(ctx, tenant, id, h)
	r.remember(tenant, id, h)
	return Outcome[S]{State: h.state, Appended: true, Commit: c, Events: events}, false, nil
}

// append repeats the same append while its outcome is unknown.
func (r *Repository[S]) append(ctx context.Context, a eventstore.Append) (eventstore.Result, error) {
	for n := 1; ; n++ {
		res := r.store.Append(ctx, a)[0]
		if !errors.Is(res.Err, eventstore.ErrUnknown) || n >= r.cfg.Attempts {
			return res, res.Err
		}
		if err := r.wait(ctx, n); err != nil {
			return res, errors.Join(res.Err, err)
		}
	}
}

// recordedAt never runs backwards in a stream and never precedes what the
// author had seen, whatever the clocks say.
func (r *Repository[S]) recordedAt(at, last, seen time.Time) time.Time {
	if at.IsZero() {
		at = r.cfg.Now()
	}
	return Recorded(at, last, seen)
}

// Recorded is the recorded_at of what happens at a time in a stream whose last
// commit, and others the author has seen, have these: never before them.
func Recorded(at time.Time, floors ...time.Time) time.Time {
	at = at.UTC().Truncate(time.Microsecond)
	for _, floor := range floors {
		if next := floor.Truncate(time.Microsecond).Add(time.Microsecond).UTC(); !floor.IsZero() && at.Before(next) {
			at = next
		}
	}
	return at
}
