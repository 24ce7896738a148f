package erasure

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run finishes what was begun, by whomever, until ctx ends. What fails is tried
// again, with the reason shown. It also saves how far Watch is.
func (s *Service) Run(ctx context.Context) error {
	var both errgroup.Group
	both.Go(func() error { return s.unsaved.Run(ctx) })
	both.Go(func() error { s.finishAll(ctx); return nil })
	return both.Wait()
}

func (s *Service) finishAll(ctx context.Context) {
	retry := time.NewTicker(30 * time.Second)
	defer retry.Stop()
	daily := time.NewTicker(time.Hour)
	defer daily.Stop()
	for {
		s.runOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-retry.C:
		case <-daily.C:
			s.retireDaily(ctx)
		}
	}
}

func (s *Service) runOnce(ctx context.Context) {
	s.running.Lock()
	defer s.running.Unlock()
	open, err := s.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.Slog.Error("open erasures cannot be read", "error", err)
		}
		return
	}
	for _, e := range open {
		if err := s.advance(ctx, e); err != nil && ctx.Err() == nil {
			s.Slog.Error("an erasure is stuck and is tried again", "erasure", e.ID, "state", e.State, "error", err)
			e.Trouble = err.Error()
			if err := s.put(ctx, e); err != nil {
				s.Slog.Error("its trouble cannot be noted", "erasure", e.ID, "error", err)
			}
		}
	}
	s.resumeRetired(ctx)
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
