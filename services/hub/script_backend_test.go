package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/weftline/weftline/pkg/client"
	"github.com/weftline/weftline/services/hub/hubtest"
)

const backendSecret = "whsec_c3RvcnkncyBzZWNyZXQgb2YgMzIgYnl0ZXMgYXQgYWxs"

// backend is an app's own: it is posted events and posts some.
type backend struct {
	*httptest.Server
	mu     sync.Mutex
	events []any
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	wh, errKey := standardwebhooks.NewWebhook(backendSecret)
	var event any
	if err != nil || errKey != nil || wh.Verify(body, r.Header) != nil || json.Unmarshal(body, &event) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	// Our own Go client must read what the vendor's library has verified.
	read := false
	r.Body = io.NopCloser(bytes.NewReader(body))
	app := &client.Channel{Secret: backendSecret}
	app.Handler(func(_ context.Context, e client.ChannelEvent, id string) error {
		read = e.Type != "" && id == r.Header.Get("Webhook-Id")
		return nil
	}).ServeHTTP(w, r)
	if !read {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, event)
}

func (b *backend) event(n int) (any, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n < 1 || n > len(b.events) {
		return nil, false
	}
	return b.events[n-1], true
}

// cmdBackend is an app's backend on the API channel, inbox "app":
//
//	backend listens             before start
//	[!] backend posts ID FILE   a signed event; ! it is refused
//	backend writes FILE         the same with client.Channel, the Go client
//	backend forges ID FILE      the same, signed with another secret: must be refused
//	backend got N PATH VALUE    waits for the Nth event that it was posted; VALUE as in got
func cmdBackend(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.backend = &backend{}
		w.backend.Server = httptest.NewServer(w.backend)
		ts.Defer(w.backend.Close)
		w.inboxes = append(w.inboxes, map[string]any{"id": "app", "channel": "api", "name": "App", "settings": map[string]string{
			"signing_secret": backendSecret, "url": w.backend.URL,
		}})
	case len(args) == 3 && args[0] == "posts":
		w.postEvent(ts, args[1], backendSecret, []byte(expand(ts, ts.ReadFile(args[2]))), neg)
	case len(args) == 2 && args[0] == "writes":
		var e client.ChannelEvent
		ts.Check(json.Unmarshal([]byte(expand(ts, ts.ReadFile(args[1]))), &e))
		ctx, cancel := within()
		defer cancel()
		ts.Check((&client.Channel{URL: w.url, Inbox: "app", Secret: backendSecret, HTTP: hubtest.Client}).Post(ctx, e))
	case len(args) == 3 && args[0] == "forges":
		w.postEvent(ts, args[1], "whsec_"+backendSecret[10:]+"AAAA", []byte(expand(ts, ts.ReadFile(args[2]))), true)
	case len(args) == 4 && args[0] == "got":
		w.gotEvent(ts, args[1], args[2], expand(ts, args[3]))
	default:
		ts.Fatalf("usage: backend listens | posts ID FILE | writes FILE | forges ID FILE | got N PATH VALUE")
	}
}

func (w *world) postEvent(ts *testscript.TestScript, id, secret string, body []byte, refused bool) {
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/hooks/api/app", bytes.NewReader(body))
	ts.Check(err)
	wh, err := standardwebhooks.NewWebhook(secret)
	ts.Check(err)
	now := time.Now()
	mac, err := wh.Sign(id, now, body)
	ts.Check(err)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", mac)
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	if (res.StatusCode != http.StatusOK) != refused {
		w.fail(ts, "posted event %s: answer %s", id, res.Status)
	}
}

func (w *world) gotEvent(ts *testscript.TestScript, number, path, want string) {
	n, err := strconv.Atoi(number)
	ts.Check(err)
	ctx, cancel := within()
	defer cancel()
	for {
		if event, ok := w.backend.event(n); ok {
			if have := at(event, path); !matches(have, want) {
				w.fail(ts, "event %d has %q at %s, wanted %q", n, have, path, want)
			}
			return
		}
		select {
		case <-ctx.Done():
			w.fail(ts, "the backend was posted no event %d", n)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
