package matrix

import (
	"context"
	"time"
)

// Knows says whether a room with a customer is known.
func (a *Adapter) Knows(ctx context.Context, inbox, user string) bool {
	room, err := a.roomWith(ctx, inbox, user)
	return err == nil && room != ""
}

// RetryEvery shortens the time between two tries of an invitation. Before Run only.
func (a *Adapter) RetryEvery(d time.Duration) { a.retry = d }
