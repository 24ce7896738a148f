package hosted_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Every inbox runs once at a time: anew when its settings change, and not for those of other channels.
func TestEachRunsEveryInboxOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inboxes := hostedtest.Inboxes(
			inbox.Inbox{ID: "a", Channel: "line", Settings: map[string]string{"k": "1"}},
			inbox.Inbox{ID: "b", Channel: "line"}, inbox.Inbox{ID: "c", Channel: "slack"},
		)
		var mu sync.Mutex
		var log []string
		running := map[string]int{}
		note := func(id, what string, n int) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, what+" "+id)
			if running[id] += n; running[id] > 1 {
				t.Errorf("%s runs twice", id)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = hosted.Each(ctx, inboxes, "line", func(ctx context.Context, in inbox.Inbox) {
				note(in.ID, "starts"+in.Settings["k"], 1)
				<-ctx.Done()
				note(in.ID, "ends"+in.Settings["k"], -1)
			})
		}()
		synctest.Wait()
		inboxes.Set("a", "k", "2")
		synctest.Wait()
		stop()
		<-done
		slices.Sort(log)
		want := []string{"ends b", "ends1 a", "ends2 a", "starts b", "starts1 a", "starts2 a"}
		if !slices.Equal(log, want) {
			t.Errorf("%v", log)
		}
	})
}
