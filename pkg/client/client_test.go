package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/client"
	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
)

// hub serves events "1" to "<n>", one connection at a time as the test scripts it.
type hub struct {
	*httptest.Server
	mu    sync.Mutex
	after []string // cursors clients came with
	from  []string
	next  []http.HandlerFunc
}

// newHub answers the connections in turn, the last one for ever.
func newHub(t testing.TB, answers ...http.HandlerFunc) *hub {
	h := &hub{next: answers}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.after = append(h.after, r.Header.Get("Last-Event-ID"))
		h.from = append(h.from, r.URL.Query().Get("from"))
		answer := h.next[0]
		if len(h.next) > 1 {
			h.next = h.next[1:]
		}
		h.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) cursors() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.after...)
}

// raw answers with an event stream.
func raw(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, body)
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// hang keeps the connection open until the client goes.
func hang(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw(body)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func event(n int) string {
	e, err := cloudevent.New(strconv.Itoa(n), "/weftline/default", &eventv1.CustomerCreated{CustomerId: strconv.Itoa(n)})
	if err != nil {
		panic(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("id: c%d\ndata: %s\n\n", n, b)
}

var errEnough = errors.New("enough")

// subscribe collects n events and their cursors.
func subscribe(t *testing.T, cfg client.Config, n int) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if cfg.MaxWait == 0 {
		cfg.MaxWait = time.Millisecond
	}
	cfg.Token = "wl_id_secret"
	var got []string
	err := client.Subscribe(ctx, cfg, func(_ context.Context, e cloudevent.Event, cursor string) error {
		got = append(got, e.ID+"@"+cursor)
		if len(got) == n {
			return errEnough
		}
		return nil
	})
	return got, err
}

func TestResumesAfterEveryKindOfEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t,
		raw(": hello\r\n\r\n"+strings.ReplaceAll(event(1), "\n", "\r\n")+"id: c4\n\n"+"retry: 1\n\n"),
		status(503, ""),
		raw(event(5)+event(6)[:40]), // cut off within an event
		raw("id: c5\n"),             // and within an id
		status(429, "{}"),
		raw("event: later\ndata: {}\n\n"+event(6)),
		hang(": only signs of life\n\n"),
		raw(event(7)),
	)
	got, err := subscribe(t, client.Config{URL: h.URL, Silence: 100 * time.Millisecond}, 4)
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1@c1", "5@c5", "6@c6", "7@c7"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"", "c4", "c4", "c5", "c5", "c5", "c6", "c6"}, h.cursors()); d != "" {
		t.Errorf("cursors sent:\n%s", d)
	}
}

func TestPermanent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"token":  {status(401, `{"code":"unauthenticated","message":"no"}`), client.ErrUnauthenticated},
		"scope":  {status(403, `{"code":"permission_denied","message":"no"}`), client.ErrDenied},
		"cursor": {status(400, `{"code":"cursor_not_valid","message":"no"}`), client.ErrCursor},
		"later":  {raw("event: reset\ndata: {\"code\":\"cursor_not_valid\",\"message\":\"no\"}\n\n"), client.ErrCursor},
		"types":  {status(400, `{"code":"invalid_argument","message":"no"}`), client.ErrRequest},
		"path":   {status(404, `not here`), client.ErrRequest},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, client.ErrRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, tc.answer)
			_, err := subscribe(t, client.Config{URL: h.URL, After: "c9"}, 1)
			var e *client.Error
			if !errors.Is(err, tc.want) || !errors.As(err, &e) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if n := len(h.cursors()); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestUnreadableEventEnds(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"id: c1\ndata: nonsense\n\n", "data: {\"specversion\":\"2.0\"}\n\n"} {
		h := newHub(t, raw(body))
		if _, err := subscribe(t, client.Config{URL: h.URL}, 1); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestFromNowUntilTheFirstCursor(t *testing.T) {
	t.Parallel()
	h := newHub(t, status(500, ""), raw("id: c8\n\n"), raw(event(9)))
	var moved []string
	_, err := subscribe(t, client.Config{URL: h.URL, Now: true, Moved: func(_ context.Context, c string) error {
		moved = append(moved, c)
		return nil
	}}, 1)
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := cmp.Diff([]string{"now", "now", ""}, h.from); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c8"}, moved); d != "" {
		t.Error(d)
	}
}

func TestEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := newHub(t, hang(event(1)))
	err := client.Subscribe(ctx, client.Config{URL: h.URL, Token: "t"}, func(context.Context, cloudevent.Event, string) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []client.Config{{Token: "t"}, {URL: "ftp://x", Token: "t"}, {URL: "http://x"}, {URL: "http://[", Token: "t"}} {
		if err := client.Subscribe(t.Context(), cfg, nil); err == nil {
			t.Errorf("%+v: accepted", cfg)
		}
		if _, err := client.Inbox(cfg); err == nil {
			t.Errorf("%+v: inbox accepted", cfg)
		}
	}
}
