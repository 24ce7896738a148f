package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/weftline/weftline/services/hub/hubtest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans is an OTLP collector that keeps names and attributes by trace.
type spans struct {
	mu      sync.Mutex
	byTrace map[string][]string
	text    strings.Builder
	changed chan struct{}
}

func (s *spans) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &req); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			for _, sp := range ss.GetSpans() {
				id := hex.EncodeToString(sp.GetTraceId())
				s.byTrace[id] = append(s.byTrace[id], sp.GetName())
				fmt.Fprintln(&s.text, sp)
			}
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// await waits for one trace that has all the spans.
func (s *spans) await(ctx context.Context, t *testing.T, want ...string) {
	t.Helper()
	for {
		s.mu.Lock()
		for _, names := range s.byTrace {
			if !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(names, w) }) {
				s.mu.Unlock()
				return
			}
		}
		changed, seen := s.changed, fmt.Sprint(s.byTrace)
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("no trace has %v; seen: %s", want, seen)
		}
	}
}

// TestOneTraceFromTheProviderToTheScreen follows a chat message to an agent's
// socket and his answer back, in what a collector is sent.
func TestOneTraceFromTheProviderToTheScreen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	got := &spans{byTrace: map[string][]string{}, changed: make(chan struct{})}
	otlp := httptest.NewServer(got)
	defer otlp.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "hub") // the test binary is a hub under that name, see TestMain
	if err := os.Symlink(exe, bin); err != nil {
		t.Fatal(err)
	}
	p, err := hubtest.Launch(bin, []string{"-data", filepath.Join(dir, "data"), "-listen", "127.0.0.1:0", "-demo", "on"}, append(os.Environ(),
		"WEFTLINE_TRACE_OTLP="+otlp.URL, "WEFTLINE_OWNER_EMAIL=olga@example.org", "WEFTLINE_OWNER_PASSWORD=correct horse",
		"OTEL_BSP_SCHEDULE_DELAY=50"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	base, err := p.Ready(ctx)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := hubtest.Login(ctx, base, "olga@example.org", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	watch(ctx, t, base, agent.HTTP)

	const canary = "canary-4711 where is it?"
	visitor, err := hubtest.DialWidget(ctx, base, "demo-chat", hubtest.Hello{})
	if err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	const id = "7b0d3f2e-5f5e-4f39-9f31-0a4b8b1c2d3e"
	if err := visitor.Send(id, canary); err != nil {
		t.Fatal(err)
	}
	if err := visitor.Acked(ctx, id); err != nil {
		t.Fatal(err)
	}
	got.await(ctx, t, "intake", "ingest", "deliver") // of this message, or of the demo's

	var found struct {
		Hits []struct {
			Entry struct{ ConversationID string }
		}
	}
	for len(found.Hits) == 0 {
		list, err := agent.Call(ctx, base, "Search", []byte(`{"query":"canary"}`)) // ends with ctx
		if err == nil {
			err = json.Unmarshal(list, &found)
		}
		if err != nil {
			t.Fatalf("search: %s %v", list, err)
		}
	}
	if _, err := agent.Call(ctx, base, "SendReply", fmt.Appendf(nil, `{"conversationId":%q,"text":"Here."}`, found.Hits[0].Entry.ConversationID)); err != nil {
		t.Fatal(err)
	}
	got.await(ctx, t, "http POST", "outbox", "send", "deliver")

	got.mu.Lock()
	defer got.mu.Unlock()
	for _, secret := range []string{"canary", "example.org", "127.0.0.1", "correct horse"} {
		if strings.Contains(got.text.String(), secret) {
			t.Errorf("a span holds %q", secret)
		}
	}
}

// watch opens an agent's socket and reads it until the test ends.
func watch(ctx context.Context, t *testing.T, base string, client *http.Client) {
	t.Helper()
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/ticket", nil)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var tk struct {
		Ticket string `json:"ticket"`
	}
	if err := json.NewDecoder(res.Body).Decode(&tk); err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(base, "http")+"/ws", http.Header{"Origin": {base}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteJSON(map[string]any{"hello": tk}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { ws.Close(); <-done })
}
