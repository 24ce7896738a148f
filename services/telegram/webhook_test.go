package telegram_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/telegram"
)

// A token is all it takes: the address is registered with a secret of the hub's
// own, registered again when somebody changes it, and what Telegram cannot deliver is said.
func TestWebhookIsLookedAfterFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	inboxes, in := onlyInbox(f), &channeltest.Intake{}
	a := telegram.New(hosted.Deps{Intake: in, Inboxes: inboxes, Client: f.Client(), PublicURL: "https://hub.example", Keys: crypt.NewDeterministic("test")})
	a.LookEvery(20 * time.Millisecond)
	mux := http.NewServeMux()
	a.Routes(mux)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	registered := func() (url, secret string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		url, _ = f.hook["url"].(string)
		secret, _ = f.hook["secret_token"].(string)
		return url, secret
	}
	ours := func() bool {
		url, secret := registered()
		return url == "https://hub.example/hooks/telegram/bot" && len(secret) >= 16
	}
	hostedtest.Wait(t, "the webhook", ours)
	_, secret := registered()
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, hookRequest(secret, numbered("m1", said("m1", "hello", time.Now()))))
	if w.Code != http.StatusOK || len(in.Taken()) != 1 {
		t.Errorf("its own secret is answered with %d", w.Code)
	}
	health := func(state, word string) func() bool {
		return func() bool {
			h := inboxes.Health("bot")
			return h.State == state && strings.Contains(h.Detail, word)
		}
	}
	f.mu.Lock()
	f.hook["url"] = "https://another.example/"
	f.mu.Unlock()
	hostedtest.Wait(t, "the webhook again", ours)
	f.mu.Lock()
	f.trouble = map[string]any{"pending_update_count": 3, "last_error_date": time.Now().Add(time.Hour).Unix(), "last_error_message": "Connection refused"}
	f.mu.Unlock()
	hostedtest.Wait(t, "trouble", health("needs_attention", "cannot deliver 3 updates: Connection refused"))
	f.mu.Lock()
	f.trouble = nil
	f.mu.Unlock()
	hostedtest.Wait(t, "all well", health("ok", ""))
}
