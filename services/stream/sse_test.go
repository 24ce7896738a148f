package stream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/cloudevent"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/stream"
	"pgregory.net/rapid"
)

// tokens are who may log in, changed while a test runs.
type tokens struct {
	mu sync.Mutex
	by map[string]actor.Actor
}

func newTokens() *tokens {
	return &tokens{by: map[string]actor.Actor{
		"good":  {ID: "token:good", Kind: actor.KindIntegrator, Scopes: []string{"events"}},
		"other": {ID: "token:other", Kind: actor.KindIntegrator, Scopes: []string{"events", "inbox"}},
		"inbox": {ID: "token:inbox", Kind: actor.KindIntegrator, Scopes: []string{"inbox"}},
	}}
}

func (k *tokens) find(_ context.Context, token string) (actor.Actor, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.by[token]
	return a, ok
}

func (k *tokens) revoke(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.by, token)
}

// authenticate believes cookies too, as the console does.
func (k *tokens) authenticate(r *http.Request) (actor.Actor, bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		return k.find(r.Context(), strings.TrimPrefix(h, "Bearer "))
	}
	if _, err := r.Cookie("session"); err == nil {
		return actor.Actor{ID: "agent", Kind: actor.KindAgent}, true
	}
	return actor.Actor{}, false
}

// edge is a running service.
type edge struct {
	url    string
	tokens *tokens
	stop   func() // drains, and waits until Run has returned
	reg    *prometheus.Registry
	client *http.Client
}

type tb interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
	Cleanup(func())
}

func start(t tb, cfg stream.Config, feed peer.Feed) *edge {
	e := &edge{tokens: newTokens(), reg: prometheus.NewRegistry()}
	s, err := stream.New(t.Context(), cfg, stream.Deps{Feed: feed, Authenticate: e.tokens.authenticate, Metrics: e.reg})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Routes(mux)
	srv := httptest.NewServer(mux)
	e.url, e.client = srv.URL, srv.Client()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	e.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("Run did not end")
		}
		srv.CloseClientConnections()
		srv.Close()
	})
	t.Cleanup(e.stop)
	return e
}

// open asks for events; header pairs follow the query.
func (e *edge) open(t tb, query string, header ...string) *http.Response {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// block is one frame as it was sent.
type block struct{ id, data, event, retry, comment string }

// tape reads a response block by block.
type tape struct {
	res *http.Response
	in  *bufio.Scanner
}

func (e *edge) tape(t tb, query string, header ...string) *tape {
	res := e.open(t, query, header...)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &tape{res, bufio.NewScanner(res.Body)}
}

func (p *tape) next() (b block, ok bool) {
	for p.in.Scan() {
		name, value, _ := strings.Cut(p.in.Text(), ": ")
		switch name {
		case "id":
			b.id = value
		case "data":
			b.data = value
		case "event":
			b.event = value
		case "retry":
			b.retry = value
		case "":
			if p.in.Text() == "" {
				return b, true
			}
			b.comment = value
		default:
			panic("strange line: " + p.in.Text())
		}
	}
	return b, false
}

// events reads n events as "text@cursor" and leaves.
func (p *tape) events(t tb, n int) (got []string, last string) {
	defer p.res.Body.Close()
	for len(got) < n {
		b, ok := p.next()
		if !ok {
			t.Fatalf("the stream ended after %d of %d events", len(got), n)
		}
		if b.id != "" {
			last = b.id
		}
		if b.data == "" {
			continue
		}
		var e cloudevent.Event
		if err := json.Unmarshal([]byte(b.data), &e); err != nil {
			t.Fatal(err)
		}
		var body struct{ Text, Tag string }
		if err := json.Unmarshal(e.Data, &body); err != nil {
			t.Fatal(err)
		}
		got = append(got, body.Text+body.Tag+"@"+b.id)
	}
	return got, last
}

func TestReplaysFromTheFirstAndGoesOnLive(t *testing.T) {
	t.Parallel()
	feed := newScript(message("m1", "one"), note("n1", "CANARY"), message("m2", "two"))
	e := start(t, stream.Config{}, feed)
	p := e.tape(t, "")
	go feed.add(note("n2", "CANARY"), message("m3", "three"))
	got, _ := p.events(t, 3)
	if d := cmp.Diff([]string{"one@c1", "two@c3", "three@c5"}, got); d != "" {
		t.Error(d)
	}
}

func TestWhereToBegin(t *testing.T) {
	t.Parallel()
	feed := newScript(message("m1", "one"), message("m2", "two"), message("m3", "three"))
	e := start(t, stream.Config{}, feed)
	for name, tc := range map[string]struct {
		query  string
		header []string
		want   []string
	}{
		"first":         {"?from=first", nil, []string{"one@c1", "two@c2", "three@c3"}},
		"after":         {"?after=c1", nil, []string{"two@c2", "three@c3"}},
		"header":        {"", []string{"Last-Event-ID", "c2"}, []string{"three@c3"}},
		"header wins":   {"?after=c1", []string{"Last-Event-ID", "c2"}, []string{"three@c3"}},
		"header or now": {"?from=now", []string{"Last-Event-ID", "c2"}, []string{"three@c3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := e.tape(t, tc.query, tc.header...).events(t, len(tc.want))
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// From now: the cursor comes at once, so that a reader cut off before any event misses nothing.
func TestFromNow(t *testing.T) {
	t.Parallel()
	feed := newScript(message("m1", "one"))
	e := start(t, stream.Config{}, feed)
	p := e.tape(t, "?from=now")
	defer p.res.Body.Close()
	for {
		b, ok := p.next()
		if !ok {
			t.Fatal("ended")
		}
		if b.id == "c1" && b.data == "" {
			break
		}
	}
	feed.add(message("m2", "two"))
	got, _ := p.events(t, 1)
	if d := cmp.Diff([]string{"two@c2"}, got); d != "" {
		t.Error(d)
	}
}

// Falling out of the feed's window is no end: the log has it all.
func TestSlowFeedGoesOn(t *testing.T) {
	t.Parallel()
	feed, want := newScript(), []string(nil)
	feed.slow = 3
	for i := range 20 {
		feed.add(message(fmt.Sprint(i), fmt.Sprint(i)))
		want = append(want, fmt.Sprintf("%d@c%d", i, i+1))
	}
	e := start(t, stream.Config{}, feed)
	got, _ := e.tape(t, "").events(t, len(want))
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A feed that fails ends the stream; the reader comes back with his cursor.
func TestFeedFails(t *testing.T) {
	t.Parallel()
	feed := newScript(message("m1", "one"))
	feed.fail = errors.New("no disk")
	e := start(t, stream.Config{}, feed)
	res := e.open(t, "?after=c1")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("status %d", res.StatusCode)
	}
	feed.add(message("m2", "two"))
	got, _ := e.tape(t, "?after=c1").events(t, 1)
	if d := cmp.Diff([]string{"two@c2"}, got); d != "" {
		t.Error(d)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	e := start(t, stream.Config{Heartbeat: 10 * time.Millisecond}, newScript())
	p := e.tape(t, "")
	defer p.res.Body.Close()
	for range 4 {
		if b, ok := p.next(); !ok || b.id != "" || b.data != "" {
			t.Fatalf("%+v, %v", b, ok)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := start(t, stream.Config{}, newScript(message("m1", "one")))
	for name, tc := range map[string]struct {
		query  string
		header []string
		status int
		code   string
	}{
		"anonymous":        {"", []string{"Authorization", ""}, 401, "unauthenticated"},
		"cookie":           {"", []string{"Authorization", "", "Cookie", "session=x"}, 401, "unauthenticated"},
		"basic":            {"", []string{"Authorization", "Basic Z29vZDpnb29k"}, 401, "unauthenticated"},
		"forged":           {"", []string{"Authorization", "Bearer nobody"}, 401, "unauthenticated"},
		"no token":         {"", []string{"Authorization", "Bearer "}, 401, "unauthenticated"},
		"token in address": {"?token=good&access_token=good", []string{"Authorization", ""}, 401, "unauthenticated"},
		"scope":            {"", []string{"Authorization", "Bearer inbox"}, 403, "permission_denied"},
		"forged cursor":    {"?after=xyz", nil, 400, "cursor_not_valid"},
		"forged header":    {"", []string{"Last-Event-ID", "xyz"}, 400, "cursor_not_valid"},
		"from the future":  {"?after=c9", nil, 400, "cursor_not_valid"},
		"endless cursor":   {"?after=" + strings.Repeat("x", 5000), nil, 400, "invalid_argument"},
		"type":             {"?types=NoteAdded", nil, 400, "invalid_argument"},
		"part of an event": {"?types=AttachmentInfo", nil, 400, "invalid_argument"},
		"from":             {"?from=yesterday", nil, 400, "invalid_argument"},
		"misspelt":         {"?type=x", nil, 400, "invalid_argument"},
		"two beginnings":   {"?from=now&after=c1", nil, 400, "invalid_argument"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := e.open(t, tc.query, tc.header...)
			defer res.Body.Close()
			var body struct{ Code, Message string }
			if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tc.status || body.Code != tc.code || body.Message == "" {
				t.Errorf("got %d %+v, want %d %s", res.StatusCode, body, tc.status, tc.code)
			}
			if res.StatusCode == 401 && res.Header.Get("WWW-Authenticate") == "" {
				t.Error("WWW-Authenticate is missing")
			}
		})
	}
}

// For every place a reader is cut off at, also between events that were not
// sent to him, going on from his last id gives every event once, in order.
func TestResumeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.IntRange(0, 2), 0, 30).Draw(t, "events")
		feed := newScript()
		var want []string
		for i, k := range kinds {
			switch k {
			case 0:
				feed.add(message(fmt.Sprint(i), fmt.Sprint(i)))
				want = append(want, fmt.Sprintf("%d@c%d", i, i+1))
			case 1:
				feed.add(note(fmt.Sprint(i), "CANARY"))
			case 2:
				feed.add(happened(fmt.Sprint(i), "closed", ""))
			}
		}
		e := start(t, stream.Config{}, feed)
		var got []string
		for at := ""; len(got) < len(want); {
			n := rapid.IntRange(1, len(want)-len(got)).Draw(t, "read")
			p := e.tape(t, "?types=MessageReceived", "Last-Event-ID", at)
			more, last := p.events(t, n)
			got, at = append(got, more...), last
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}
