package chat_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/services/chat"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// TestAnInboxThatIsGoneIsTold: a chat whose settings name an inbox that is not there says so on its card and once in the
// log, offers no code, and does not blame the visitor's address; it is well again when the inbox is there.
func TestAnInboxThatIsGoneIsTold(t *testing.T) {
	t.Parallel()
	p, log := &proofs{}, &lines{}
	w := start(t, map[string]string{"prove_email": "nope"}, withProofs(p), func(d *chat.Deps) { d.Log = slog.New(slog.NewTextHandler(log, nil)) })
	told := func() bool {
		h := w.inboxes.Health("shop")
		return h.State == "needs_attention" && strings.Contains(h.Detail, `prove_email: there is no inbox "nope"`)
	}
	until(t, "told", told)
	v := w.visit(frame{})
	if welcome := v.await("welcome"); welcome["prove"] != nil {
		t.Errorf("%v", welcome)
	}
	v.send(frame{"type": "prove", "address": "ada@example.org"})
	if f := v.await("error"); f.str("code") != "unavailable" || f.str("field") != "proof" {
		t.Errorf("%v", f)
	}
	v.send(frame{"type": "message", "client_id": "5a1c5ad0-9d5e-4a61-9f0b-7d24a4c1a001", "text": "hello"})
	v.await("ack")
	until(t, "still told after a message", told)
	if n := log.count("names an inbox that is not there"); n != 1 {
		t.Errorf("%d lines in the log, want 1", n)
	}
	w.inboxes.other("nope", "email")
	until(t, "well", func() bool { h := w.inboxes.Health("shop"); return h.State == "ok" && h.Detail == "" })
	v.send(frame{"type": "prove", "address": "ada@example.org"})
	if f := v.await("proof"); f.str("state") != "sent" {
		t.Errorf("%v", f)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not in a minute: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
