package hostedtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Runner is what fetches for inboxes.
type Runner interface {
	Run(ctx context.Context) error
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// Gone runs an adapter whose provider cannot be reached: its inbox is connecting
// for a minute, and needs attention before the third is over, saying why.
func Gone(t *testing.T, in inbox.Inbox, adapter func(inbox.Registry, *http.Client) Runner) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		in.ID, in.Name = "desk", "Shop"
		inboxes := Inboxes(in)
		run := adapter(inboxes, &http.Client{Transport: nowhere{}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run.Run(ctx) }()
		for _, at := range []struct {
			after time.Duration
			want  string
		}{{time.Minute, "connecting"}, {2 * time.Minute, "needs_attention"}} {
			time.Sleep(at.after)
			synctest.Wait()
			if h := inboxes.Health(in.ID); h.State != at.want || !strings.Contains(h.Detail, "connection refused") {
				t.Errorf("%s later: %s, %q, want %s", at.after, h.State, h.Detail, at.want)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
