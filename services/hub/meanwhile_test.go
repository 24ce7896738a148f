package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/config"
)

// heard calls back at the log entry that begins with a word.
type heard struct {
	word string
	then func()
}

func (h heard) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, h.word) {
		h.then()
	}
	return nil
}

func (h heard) Enabled(context.Context, slog.Level) bool { return true }
func (h heard) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h heard) WithGroup(string) slog.Handler            { return h }

// answered is what a hub says to a request.
func answered(t *testing.T, method, addr, path string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// TestHubAnswersWhileItsReadModelsAreBuilt: alive, not ready and why; and then
// the same listeners serve, with nobody lost who called in between.
func TestHubAnswersWhileItsReadModelsAreBuilt(t *testing.T) {
	t.Parallel()
	for _, private := range []bool{false, true} {
		t.Run(fmt.Sprintf("ops_listen %v", private), func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			cfg, err := config.Load("", nil, map[string]string{"data": data, "demo": "off"})
			if err != nil {
				t.Fatal(err)
			}
			h, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), nil)
			if err != nil {
				t.Fatal(err)
			}
			old := filepath.Join(t.TempDir(), "old.jsonl")
			writeHistory(t, old, 3, 5)
			f, err := os.Open(old)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var out bytes.Buffer
			if err := taskImport(t.Context(), h, []string{"-inbox=support"}, f, &out); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			h.close()
			lost, err := filepath.Glob(filepath.Join(data, "views.db*"))
			if err != nil || len(lost) == 0 {
				t.Fatal("no read models", err)
			}
			for _, name := range lost {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}

			early := &meanwhile{}
			early.public, err = listen("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer early.public.Close()
			public := early.public.Addr().String()
			ops := public
			if private {
				if early.private, err = listen("127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
				defer early.private.Close()
				ops = early.private.Addr().String()
			}
			asked, knocked := 0, make(chan struct{})
			log := slog.New(heard{"read models are built anew", func() {
				asked++
				if r, body := answered(t, http.MethodGet, ops, "/livez"); r.StatusCode != 200 || body != "ok\n" {
					t.Errorf("livez: %d %s", r.StatusCode, body)
				}
				if r, body := answered(t, http.MethodGet, ops, "/readyz"); r.StatusCode != 503 || !strings.Contains(body, "being built") {
					t.Errorf("readyz: %d %s", r.StatusCode, body)
				}
				if r, body := answered(t, http.MethodGet, ops, "/metrics"); r.StatusCode != 200 || !strings.Contains(body, "go_goroutines") {
					t.Errorf("metrics: %d", r.StatusCode)
				}
				if private {
					if r, _ := answered(t, http.MethodGet, public, "/metrics"); r.StatusCode != 503 {
						t.Errorf("everybody reads metrics: %d", r.StatusCode)
					}
				}
				if r, body := answered(t, http.MethodGet, public, "/inbox"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(body, "Weftline is starting") {
					t.Errorf("page: %d %s", r.StatusCode, body)
				}
				<-knocked
				if r, body := answered(t, http.MethodPost, public, "/hooks/telegram/main"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(body, `"unavailable"`) {
					t.Errorf("webhook: %d %s", r.StatusCode, body)
				}
			}})

			// Somebody knocks all the time; nobody finds the door shut.
			calling, stop := context.WithCancel(t.Context())
			seen, gone := map[int]int{}, make(chan struct{})
			go func() {
				defer close(gone)
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				for calling.Err() == nil || seen[200] == 0 {
					resp, err := client.Get("http://" + public + "/")
					if len(seen) == 0 {
						close(knocked)
					}
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					seen[resp.StatusCode]++
				}
			}()
			if h, err = open(t.Context(), cfg, log, early); err != nil {
				t.Fatal(err)
			}
			defer h.close()
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
			done := make(chan error, 1)
			ctx, end := context.WithCancel(t.Context())
			go func() {
				done <- serveHTTP(ctx, early.public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), h.log)
			}()
			stop()
			<-gone
			end()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if seen[200] == 0 || seen[503] == 0 || len(seen) != 2 {
				t.Errorf("answers: %v", seen)
			}
		})
	}
}

func TestProgressOfReadModels(t *testing.T) {
	t.Parallel()
	m := &meanwhile{}
	if got := m.progress(t.Context()).Error(); strings.Contains(got, "commits") {
		t.Error(got)
	}
	m.tell(conversation.RebuildProgress{Partition: 0, Applied: 10, Head: 100})
	m.tell(conversation.RebuildProgress{Partition: 1, Applied: 5, Head: 50})
	m.tell(conversation.RebuildProgress{Partition: 0, Applied: 40, Head: 100})
	if got := m.progress(t.Context()).Error(); !strings.HasSuffix(got, "45 of 150 commits") {
		t.Error(got)
	}
	var none *meanwhile
	none.tell(conversation.RebuildProgress{Partition: 0, Applied: 1, Head: 1})
	none.answer(t.Context(), nil)()
}
