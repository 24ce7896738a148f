package projection

import (
	"context"
	"log/slog"
	"time"
)

// backoff pauses after failures, twice as long each time, and tells of them.
type backoff struct {
	cfg     Config
	attempt int
	wait    time.Duration
}

// pause reports whether ctx still runs afterwards.
func (b *backoff) pause(ctx context.Context, f Failure) bool {
	if ctx.Err() != nil {
		return false // failing while stopping is no news
	}
	b.attempt++
	b.wait = min(max(2*b.wait, b.cfg.MinBackoff), b.cfg.MaxBackoff)
	f.Attempt = b.attempt
	if b.cfg.OnFailure != nil {
		b.cfg.OnFailure(f)
	}
	b.cfg.Log.LogAttrs(ctx, slog.LevelError, "projection failed, will try again",
		slog.String("sink", f.Sink), slog.Int("partition", f.Partition), slog.Uint64("first_seq", f.First),
		slog.Int("commits", f.Commits), slog.Int("attempt", f.Attempt), slog.Duration("pause", b.wait), slog.Any("error", f.Err))
	timer := time.NewTimer(b.wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (b *backoff) reset() { b.attempt, b.wait = 0, 0 }
