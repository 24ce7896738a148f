package channeltest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// post hands a request to the adapter as the provider would.
func (h *Hook) post(r *http.Request) int {
	w := httptest.NewRecorder()
	h.Handler.ServeHTTP(w, r)
	return w.Code
}

func hook(t *testing.T, h Harness) (*Intake, Subject) {
	t.Helper()
	in := &Intake{}
	s := h.New(t, in)
	need(t, s.Hook != nil, "Hook")
	return in, s
}

func forged(t *testing.T, h Harness) {
	in, s := hook(t, h)
	now := time.Now()
	good := func() *http.Request { return s.Hook.Request("forged-1", "hello", s.Hook.Secrets[0], now) }
	for name, change := range map[string]func(*http.Request) bool{
		"another secret": func(r *http.Request) bool {
			*r = *s.Hook.Request("forged-1", "hello", s.Hook.Secrets[0][:len(s.Hook.Secrets[0])-4]+"AAA=", now)
			return true
		},
		"no proof": func(r *http.Request) bool {
			r.Header = http.Header{"Content-Type": r.Header["Content-Type"]}
			r.URL.RawQuery = ""
			return true
		},
		"another body": func(r *http.Request) bool {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(b, []byte("hello"), []byte("hullo"), 1)))
			return s.Hook.Covers
		},
	} {
		r := good()
		if !change(r) {
			continue
		}
		if code := s.Hook.post(r); code < 400 || code >= 500 {
			t.Errorf("%s: answered with %d, want a refusal", name, code)
		}
	}
	if n := len(in.Taken()); n != 0 {
		t.Fatalf("%d forged inputs were stored", n)
	}
	if code := s.Hook.post(good()); code >= 300 {
		t.Errorf("the true one is answered with %d", code)
	}
}

func stale(t *testing.T, h Harness) {
	in, s := hook(t, h)
	need(t, s.Hook.Timed, "Hook with a time in its proof")
	now := time.Now()
	for name, at := range map[string]time.Time{"an hour old": now.Add(-time.Hour), "an hour ahead": now.Add(time.Hour)} {
		if code := s.Hook.post(s.Hook.Request("stale-1", "hello", s.Hook.Secrets[0], at)); code < 400 || code >= 500 {
			t.Errorf("%s: answered with %d, want a refusal", name, code)
		}
	}
	if n := len(in.Taken()); n != 0 {
		t.Errorf("%d old inputs were stored", n)
	}
}

func rotation(t *testing.T, h Harness) {
	in, s := hook(t, h)
	for i, secret := range s.Hook.Secrets {
		if code := s.Hook.post(s.Hook.Request([]string{"old-1", "new-1"}[i], "hello", secret, time.Now())); code >= 300 {
			t.Errorf("secret %d: answered with %d", i+1, code)
		}
	}
	if n := len(in.Taken()); n != 2 {
		t.Errorf("%d inputs are stored, want 2", n)
	}
}

// hundred: the hub drops equal provider ids, so all copies must have the same.
func hundred(t *testing.T, h Harness) {
	in := &Intake{}
	s := h.New(t, in)
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if err := s.Deliver(ctx, "hundred-1", "many times"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.Hook != nil { // signed anew, as providers do when they try again
		at := time.Now()
		if code := s.Hook.post(s.Hook.Request("hundred-1", "many times", s.Hook.Secrets[0], at)); code >= 300 {
			t.Errorf("offered once more: %d", code)
		}
	}
	ids := map[string]bool{}
	for _, r := range in.Taken() {
		r.ReceivedAt = r.ReceivedAt.Add(7 * 24 * time.Hour)
		items, err := s.Adapter.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if it.Message != nil {
				ids[it.Message.ID] = true
			}
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d message ids, want 1", len(ids))
	}
}

func saidAt(t *testing.T, h Harness) {
	in := &Intake{}
	s := h.New(t, in)
	need(t, s.SaidAt != nil, "SaidAt")
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	at := time.Now().Add(-36 * time.Hour).UTC().Truncate(time.Second)
	if err := s.SaidAt(ctx, "time-1", "earlier", at); err != nil {
		t.Fatal(err)
	}
	for _, r := range in.Taken() {
		items, err := s.Adapter.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if m := items[0].Message; m == nil || !m.OccurredAt.Equal(at) {
			t.Errorf("said at %v, want %v", items[0].Message, at)
		}
	}
}

// changes: whatever comes first, a change must find its message by an id that the message has.
func changes(t *testing.T, h Harness) {
	in := &Intake{}
	s := h.New(t, in)
	caps := s.Adapter.Capabilities()
	if !caps.Edits && !caps.Deletes && !caps.Reactions {
		h.lacks("messages are not changed here")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	if err := s.Deliver(ctx, "target-1", "before"); err != nil {
		t.Fatal(err)
	}
	items, err := s.Adapter.Parse(in.Taken()[0])
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	names := map[string]bool{m.ID: true}
	for _, r := range m.Refs {
		names[r] = true
	}
	for action, carried := range map[channel.Action]bool{
		channel.Edited: caps.Edits, channel.Deleted: caps.Deletes, channel.Reacted: caps.Reactions, channel.Unreacted: caps.Reactions,
	} {
		if !carried {
			continue
		}
		need(t, s.Changed != nil, "Changed")
		items, err := s.Adapter.Parse(s.Changed("target-1", action))
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		c := items[0].Change
		switch {
		case c == nil:
			t.Errorf("%s: is no change: %+v", action, items[0])
		case c.Action != action || c.ID == "" || c.From.Address == "" || c.From.Kind == "":
			t.Errorf("%s: %+v", action, c)
		case !names[c.Target]:
			t.Errorf("%s: names %q, the message is known as %v", action, c.Target, names)
		case action == channel.Edited && c.Content.Text == "":
			t.Errorf("edited to nothing")
		case action == channel.Reacted && c.Emoji == "":
			t.Errorf("reacted with nothing")
		}
	}
}
