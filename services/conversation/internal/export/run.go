package export

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
)

// Run makes what was asked for and ends what is too old, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		s.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *Service) round(ctx context.Context) {
	var running, old []*Export
	err := s.each(ctx, func(e *Export) error {
		switch {
		case e.State != Expired && !e.ExpiresAt.After(s.Now()):
			old = append(old, e)
		case e.State == Running:
			running = append(running, e)
		}
		return nil
	})
	for _, e := range old {
		if err == nil {
			err = s.expire(ctx, e)
		}
	}
	for _, e := range running {
		if err == nil {
			err = s.make(ctx, e)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("exports are stuck and are tried again", "error", err)
	}
}

// make writes the archive. What a crash left of an earlier attempt goes first.
func (s *Service) make(ctx context.Context, e *Export) error {
	if err := s.drop(ctx, e); err != nil {
		return err
	}
	p := &parts{ctx: ctx, s: s, e: e}
	err := s.Write(ctx, e.Customers, p)
	if err == nil {
		err = p.flush()
	}
	if ctx.Err() != nil {
		return ctx.Err() // the next start begins anew
	}
	if errors.Is(err, crypt.ErrShredded) {
		return s.expire(ctx, e) // erased meanwhile
	}
	if err != nil {
		s.Log.Error("an export failed", "export", e.ID, "error", err)
		if err := s.drop(ctx, e); err != nil {
			return err
		}
		e.State, e.Failure = Failed, "the archive could not be written; ask for a new one"
		return s.put(ctx, e)
	}
	e.State = Done
	return s.put(ctx, e)
}
