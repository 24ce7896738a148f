package console

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
)

// slowToEnd is a feed that has always one event more, and needs a while to end.
type slowToEnd struct{ running atomic.Bool }

func (f *slowToEnd) Head(context.Context) (string, error) { return "", nil }

func (f *slowToEnd) Subscribe(ctx context.Context, _ string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		f.running.Store(true)
		defer f.running.Store(false)
		for yield(&realtimev1.Event{}, nil) {
		}
		<-ctx.Done()
		time.Sleep(time.Second) // of the bubble
	}
}

// TestNothingReadsTheFeedForASocketThatIsGone: who began to read waits for its end.
func TestNothingReadsTheFeedForASocketThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &slowToEnd{}
		c := &Console{deps: Deps{Feed: feed}}
		ctx, cancel := context.WithCancelCause(t.Context())
		s := &socketConn{queue: make(chan *realtimev1.ServerFrame, 1), stop: cancel}
		_ = c.stream(ctx, s, "") // nobody takes from the queue, so it gives up
		if context.Cause(ctx) == nil {
			t.Error("the reader that takes nothing was not closed")
		}
		if feed.running.Load() {
			t.Error("the feed is still read for it")
		}
	})
}
