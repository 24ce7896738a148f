package hosted_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

var errRevoked = fmt.Errorf("revoked: %w", channel.ErrNeedsAttention)

// watched is an inbox whose credentials are asked for.
type watched struct {
	*hostedtest.Registry
	answer atomic.Pointer[error]
	asked  atomic.Int32
}

func (w *watched) says(err error) { w.answer.Store(&err) }

// in runs f while the credentials of the inbox "shop" are watched, in time of its own.
func (w *watched) in(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		w.Registry = hostedtest.Inboxes(inbox.Inbox{ID: "shop", Channel: "line", Settings: map[string]string{"token": "old"}})
		w.says(nil)
		w.SetHealth("shop", inbox.Health{State: "ok", Detail: "advice"})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- hosted.Credentials(ctx, hosted.Deps{Inboxes: w}, "line", func(ctx context.Context, in inbox.Inbox) error {
				w.asked.Add(1)
				if err := *w.answer.Load(); in.Settings["token"] == "old" {
					return err
				}
				return nil
			})
		}()
		time.Sleep(3 * time.Minute)
		f(t)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// now is the health a minute later.
func (w *watched) now(t *testing.T, state, detail string) {
	t.Helper()
	time.Sleep(time.Minute)
	synctest.Wait()
	if h := w.Health("shop"); h.State != state || h.Detail != detail {
		t.Errorf("health is %q, %q, want %q, %q", h.State, h.Detail, state, detail)
	}
}

func TestRevokedCredentialsAreToldWithinAMinute(t *testing.T) {
	t.Parallel()
	w := &watched{}
	w.in(t, func(t *testing.T) {
		w.says(errRevoked)
		w.now(t, "needs_attention", errRevoked.Error())
		w.says(nil)
		w.now(t, "ok", "advice")
		w.says(errRevoked)
		w.now(t, "needs_attention", errRevoked.Error())
		w.Set("shop", "token", "new")
		w.now(t, "ok", "")
	})
}

func TestOnlyRefusedCredentialsAreTold(t *testing.T) {
	t.Parallel()
	w := &watched{}
	w.in(t, func(t *testing.T) {
		w.says(errors.New("no route to host"))
		w.now(t, "ok", "advice")
		w.says(nil)
		w.SetHealth("shop", inbox.Health{State: "needs_attention", Detail: "no credit"})
		w.now(t, "needs_attention", "no credit") // which a good token does not mend
	})
}

func TestWhoAsksForCredentialsWaitsAsAsked(t *testing.T) {
	t.Parallel()
	w := &watched{}
	w.in(t, func(t *testing.T) {
		w.says(&channel.RetryAfterError{After: 10 * time.Minute, Err: errors.New("too often")})
		w.now(t, "ok", "advice")
		before := w.asked.Load()
		time.Sleep(8 * time.Minute)
		if n := w.asked.Load(); n != before {
			t.Errorf("asked %d times more", n-before)
		}
		w.says(errRevoked)
		time.Sleep(2 * time.Minute)
		w.now(t, "needs_attention", errRevoked.Error())
	})
}

func TestCredentialsOfAPausedInboxAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := &watched{}
	w.in(t, func(t *testing.T) {
		w.Pause("shop", true)
		synctest.Wait()
		before := w.asked.Load()
		w.says(errRevoked)
		w.now(t, "ok", "advice")
		if n := w.asked.Load(); n != before {
			t.Errorf("asked %d times", n-before)
		}
		w.Pause("shop", false)
		w.now(t, "needs_attention", errRevoked.Error())
	})
}
