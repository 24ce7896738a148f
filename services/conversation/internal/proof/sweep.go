package proof

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// sweepEvery is how long what is over may linger.
const sweepEvery = 30 * time.Second

// sweepPage is how many are swept in one go.
const sweepPage = 200

// Run sweeps until ctx ends, and returns nil then.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "proofs could not be swept", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep goes on with what was interrupted, destroys the keys of what is over,
// and forgets what ended a day ago. One that fails stops no other.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		s.each(ctx, docstore.Query{Index: byState, Prefix: []any{string(Proven)}}, func(c challenge) error {
			_, err := s.settle(ctx, c)
			return err
		}),
		s.each(ctx, docstore.Query{Index: byKeyed, Prefix: []any{true}, To: micro(now) + 1}, func(c challenge) error {
			switch c.State {
			case Open:
				_, err := s.end(ctx, c.id, Expired)
				return err
			case Proven:
				return nil // tried above
			}
			return s.shred(ctx, c)
		}),
		s.each(ctx, docstore.Query{Index: byKeyed, Prefix: []any{false}, To: micro(now.Add(-keep))}, func(c challenge) error {
			return s.remove(ctx, challenges.Name, c.id, c.rev)
		}),
		s.forgetLimits(ctx, now),
	)
}

// each calls fn for the challenges of a query.
func (s *Service) each(ctx context.Context, q docstore.Query, fn func(challenge) error) error {
	q.Limit = sweepPage
	var errs []error
	for {
		items, err := s.State.List(ctx, challenges.Name, q)
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("list proofs: %w", err))...)
		}
		for _, it := range items {
			c, err := read(it.Doc)
			if err == nil {
				err = fn(c)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("proof %s: %w", it.ID, err))
			}
		}
		if len(items) < q.Limit || ctx.Err() != nil {
			return errors.Join(errs...)
		}
		q.After = items[len(items)-1].Token
	}
}

func (s *Service) forgetLimits(ctx context.Context, now time.Time) error {
	for {
		items, err := s.State.List(ctx, limits.Name, docstore.Query{Index: byLast, To: micro(now.Add(-keep)), Limit: sweepPage})
		if err != nil {
			return fmt.Errorf("list limits of proofs: %w", err)
		}
		for _, it := range items {
			if err := s.remove(ctx, limits.Name, it.ID, it.Seq); err != nil {
				return err
			}
		}
		if len(items) < sweepPage {
			return nil
		}
	}
}

// remove deletes what nobody changed meanwhile (rev 0: in any case), and leaves nothing behind.
func (s *Service) remove(ctx context.Context, collection, id string, rev uint64) error {
	err := s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: collection, Delete: true, IfRev: rev, Doc: docstore.Doc{ID: id}}}})
	if err != nil && !errors.Is(err, docstore.ErrStale) && !errors.Is(err, docstore.ErrNotFound) {
		return fmt.Errorf("forget a proof: %w", err)
	}
	return nil
}
