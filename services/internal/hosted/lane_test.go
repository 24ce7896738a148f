package hosted_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

func ask(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A method that is asked too often holds back itself, and neither another one nor another inbox.
func TestLanesAreHeldBackApart(t *testing.T) {
	t.Parallel()
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if path.Base(r.URL.Path) == "busy" {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(s.Close)
	c := hosted.NewCaller(hosted.Deps{Client: s.Client()})
	c.Lane = func(r *http.Request) string { return path.Base(r.URL.Path) }
	for _, step := range []struct {
		inbox, method string
		held          bool
		calls         int
	}{{"a", "busy", true, 1}, {"a", "busy", true, 1}, {"a", "idle", false, 2}, {"b", "busy", true, 3}} {
		_, err := c.Do(step.inbox, ask(t, s.URL+"/"+step.method))
		if _, held := errors.AsType[*channel.RetryAfterError](err); held != step.held || calls != step.calls {
			t.Errorf("%+v: %v, %d calls", step, err, calls)
		}
	}
}

// What a stranger's address answers says nothing of the inbox that names it.
func TestOpenElsewhere(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			io.WriteString(w, "the file")
		case "/login":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(s.Close)
	inboxes := hostedtest.Inboxes(inbox.Inbox{ID: "shop"})
	c := hosted.NewCaller(hosted.Deps{Client: s.Client(), Inboxes: inboxes})
	rc, err := c.OpenElsewhere(ask(t, s.URL+"/file"), 100)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if b, err := io.ReadAll(rc); err != nil || string(b) != "the file" {
		t.Errorf("%q, %v", b, err)
	}
	for name, gone := range map[string]bool{"/file": true, "/login": true, "/down": false} { // of /file only 3 bytes are taken
		_, err := c.OpenElsewhere(ask(t, s.URL+name), 3)
		if err == nil || errors.Is(err, channel.ErrGone) != gone || errors.Is(err, channel.ErrNeedsAttention) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h := inboxes.Health("shop"); h.State != "" {
		t.Errorf("%+v", h)
	}
	if _, err := c.Open("shop", ask(t, s.URL+"/login"), 3); !errors.Is(err, channel.ErrNeedsAttention) || !strings.Contains(err.Error(), "401") {
		t.Errorf("of the provider itself: %v", err)
	}
}

// What is Aside waits with the account, and the account does not wait with it.
func TestAsideHoldsBackNoMessage(t *testing.T) {
	t.Parallel()
	busy, calls := true, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; busy {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(s.Close)
	c := hosted.NewCaller(hosted.Deps{Client: s.Client()})
	aside := func() *http.Request { return ask(t, s.URL).WithContext(hosted.Aside(t.Context())) }
	held := func(r *http.Request) bool {
		_, err := c.Do("bot", r)
		_, held := errors.AsType[*channel.RetryAfterError](err)
		return held
	}
	refused, waits := held(aside()), held(aside())
	if !refused || !waits || calls != 1 {
		t.Errorf("what is aside does not wait for itself: %d calls", calls)
	}
	busy = false
	if held(ask(t, s.URL)) || calls != 2 {
		t.Errorf("a message waits for what is aside: %d calls", calls)
	}
	busy = true
	held(ask(t, s.URL))
	busy = false
	if !held(aside()) || calls != 3 {
		t.Errorf("what is aside does not wait with the account: %d calls", calls)
	}
}
