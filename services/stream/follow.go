package stream

import (
	"context"
	"errors"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/peer"
)

// step is one event of the feed, or why it ended.
type step struct {
	ev  *realtimev1.Event
	err error
}

// ahead is how many events are read before the consumer asks for them. The
// feed waits for a slow consumer, so this and no more is kept in memory for him.
const ahead = 16

// follow reads the feed after a cursor ("" = from the first event). The channel
// closes after an error, and when the feed ends. stop ends it and waits until it has.
func follow(ctx context.Context, feed peer.Feed, cursor string) (steps <-chan step, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ch := make(chan step, ahead)
	go func() {
		defer close(ch)
		for {
			before := cursor
			err := replay(ctx, feed, &cursor, ch)
			// Who falls out of the live window goes on from the log, as long as he gets any further.
			if errors.Is(err, peer.ErrSlow) && cursor != before {
				continue
			}
			if err != nil {
				send(ctx, ch, step{err: err})
			}
			return
		}
	}()
	return ch, func() {
		cancel()
		for range ch {
		}
	}
}

// replay passes events on until the feed ends, and moves the cursor with them.
func replay(ctx context.Context, feed peer.Feed, cursor *string, ch chan<- step) error {
	for ev, err := range feed.Replay(ctx, *cursor) {
		if err != nil {
			return err
		}
		if !send(ctx, ch, step{ev: ev}) {
			return nil
		}
		*cursor = ev.GetCursor()
	}
	return nil
}

func send(ctx context.Context, ch chan<- step, st step) bool {
	select {
	case ch <- st:
		return true
	case <-ctx.Done():
		return false
	}
}
