package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
)

type registry struct {
	mu      sync.Mutex
	m       map[string]inbox.Inbox
	changed chan struct{}
	health  map[string]inbox.Health
}

func (r *registry) List(string) []inbox.Inbox {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []inbox.Inbox
	for _, in := range r.m {
		list = append(list, in)
	}
	return list
}

func (r *registry) Get(id string) (inbox.Inbox, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, ok := r.m[id]
	return in, ok
}

func (r *registry) Watch(ctx context.Context, ch string, fn func([]inbox.Inbox)) {
	for {
		r.mu.Lock()
		c := r.changed
		r.mu.Unlock()
		fn(r.List(ch))
		select {
		case <-ctx.Done():
			return
		case <-c:
		}
	}
}

func (r *registry) set(id string, settings map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if settings == nil {
		delete(r.m, id)
	} else {
		r.m[id] = inbox.Inbox{ID: id, Channel: chat.Name, Name: "Shop chat", Settings: settings, Rev: r.m[id].Rev + 1}
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *registry) SetHealth(id string, h inbox.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.health == nil {
		r.health = map[string]inbox.Health{}
	}
	r.health[id] = h
}

func (r *registry) Health(id string) inbox.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health[id]
}

// other puts an inbox of another channel beside.
func (r *registry) other(id, channel string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m[id] = inbox.Inbox{ID: id, Channel: channel, Name: id, Rev: 1}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *registry) Delete(context.Context, string) error { return nil }
func (r *registry) Save(context.Context, inbox.Inbox) (inbox.Inbox, error) {
	return inbox.Inbox{}, errors.ErrUnsupported
}

// world is a running adapter behind a real HTTP server.
type world struct {
	t       *testing.T
	hub     *hub
	inboxes *registry
	metrics *prometheus.Registry
	adapter *chat.Adapter
	server  *httptest.Server
	stop    func() error
}

func start(t *testing.T, settings map[string]string, change ...func(*chat.Deps)) *world {
	t.Helper()
	if settings == nil {
		settings = map[string]string{}
	}
	w := &world{
		t: t, hub: newHub(t), metrics: prometheus.NewRegistry(),
		inboxes: &registry{m: map[string]inbox.Inbox{}, changed: make(chan struct{})},
	}
	w.inboxes.set("shop", settings)
	dir, keys := t.TempDir(), crypt.NewMemory()
	docs, err := sqlite.Open(t.Context(), filepath.Join(dir, "chat.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { docs.Close() })
	blobs, err := blob.NewDir(filepath.Join(dir, "blobs"), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	d := chat.Deps{
		Intake: w.hub, Transcript: w.hub, Inboxes: w.inboxes, State: docs,
		Keys: keys, Blobs: blobs, Metrics: w.metrics,
		Timing: chat.Timing{Settle: 20 * time.Millisecond, List: 2 * time.Second, Spread: time.Second},
	}
	for _, c := range change {
		c(&d)
	}
	a, err := chat.New(d)
	if err != nil {
		t.Fatal(err)
	}
	w.adapter = a
	mux := http.NewServeMux()
	a.Routes(mux)
	w.server = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	w.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		w.server.Close()
	})
	return w
}

func (w *world) count(name string) float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		if f.GetName() != strings.SplitN(name, "{", 2)[0] {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) > 0 && !strings.Contains(name, m.GetLabel()[0].GetValue()) {
				continue
			}
			n += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return n
}

type frame map[string]any

func (f frame) str(key string) string { s, _ := f[key].(string); return s }

// visitor is one browser tab.
type visitor struct {
	t    testing.TB
	conn *websocket.Conn
	code int
}

func (w *world) dial(origin string) (*visitor, *http.Response, error) {
	return w.dialInbox("shop", origin)
}

func (w *world) dialInbox(inbox, origin string) (*visitor, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.server.URL, "http")+"/chat/"+inbox+"/ws", h)
	return &visitor{t: w.t, conn: conn}, resp, err
}

func (w *world) visit(hello frame) *visitor {
	w.t.Helper()
	return w.visitInbox("shop", hello)
}

func (w *world) visitInbox(inbox string, hello frame) *visitor {
	w.t.Helper()
	v, _, err := w.dialInbox(inbox, w.server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { v.conn.Close() })
	hello["type"] = "hello"
	v.send(hello)
	return v
}

func (v *visitor) send(f frame) {
	if err := v.conn.WriteJSON(f); err != nil && v.t != nil {
		v.t.Logf("write: %v", err)
	}
}

// next is the next frame other than pings; nil when closed.
func (v *visitor) next() frame {
	for {
		v.conn.SetReadDeadline(time.Now().Add(time.Minute))
		_, b, err := v.conn.ReadMessage()
		if err != nil {
			var ce *websocket.CloseError
			if errors.As(err, &ce) {
				v.code = ce.Code
			}
			return nil
		}
		var f frame
		if err := json.Unmarshal(b, &f); err != nil {
			v.t.Errorf("frame %q: %v", b, err)
			return nil
		}
		if f.str("type") != "ping" {
			return f
		}
	}
}

// await skips to a frame of a type.
func (v *visitor) await(kind string) frame {
	v.t.Helper()
	for {
		f := v.next()
		if f == nil {
			v.t.Fatalf("closed with %d while waiting for %s", v.code, kind)
		}
		if f.str("type") == kind {
			return f
		}
	}
}

func (v *visitor) closed() int {
	for v.next() != nil {
	}
	return v.code
}

func message(id int, text string) frame {
	return frame{"type": "message", "client_id": clientID(id), "text": text}
}

func clientID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func (w *world) post(path, ticket, name string, body []byte) *http.Response {
	w.t.Helper()
	r, _ := http.NewRequest(http.MethodPost, w.server.URL+path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+ticket)
	r.Header.Set("Origin", w.server.URL)
	r.Header.Set("X-File-Name", name)
	resp, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (w *world) get(path, ticket string) *http.Response {
	w.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, w.server.URL+path, nil)
	if ticket != "" {
		r.Header.Set("Authorization", "Bearer "+ticket)
	}
	resp, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}
