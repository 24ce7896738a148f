package hosted

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Insist tries until it works, each error given to trouble, at intervals that
// grow from a second to five minutes or as the provider asks; false: ctx ended.
func Insist(ctx context.Context, trouble func(error), try func() error) bool {
	for wait := time.Second; ; wait = min(2*wait, 5*time.Minute) {
		err := try()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		trouble(err)
		if !Pause(ctx, Patience(err, wait)) {
			return false
		}
	}
}

// Patience is how long to wait after an error: as long as the provider says, else as given.
func Patience(err error, wait time.Duration) time.Duration {
	if after, ok := errors.AsType[*channel.RetryAfterError](err); ok {
		return after.After
	}
	return wait
}

// Pause waits; false: ctx ended.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Gone notes an error of an inbox that fetches; true: its provider has been gone
// for so long that somebody should look. One that asks to wait is there.
func Gone(o *inbox.Outage, err error, now time.Time) bool {
	if _, ok := errors.AsType[*channel.RetryAfterError](err); ok {
		return false
	}
	return o.Failed(now)
}
