package chat_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tab is what a widget remembers of one conversation.
type tab struct {
	mu     sync.Mutex
	cursor string
	who    string
	token  string
	seen   map[string]string // id or client id → text
	news   chan struct{}
}

// follow reads until the connection ends.
func (b *tab) follow(v *visitor, ready chan<- struct{}) {
	for f := v.next(); f != nil; f = v.next() {
		b.mu.Lock()
		switch f.str("type") {
		case "welcome":
			b.who, b.token = f.str("who"), f.str("token")
			close(ready)
		case "message":
			b.take(v, f["message"])
		case "messages":
			for _, it := range f["items"].([]any) {
				b.take(v, it)
			}
			if c := f.str("cursor"); c < b.cursor {
				v.t.Errorf("cursor went from %s back to %s", b.cursor, c)
			} else {
				b.cursor = c
			}
		}
		b.mu.Unlock()
		select {
		case b.news <- struct{}{}:
		default:
		}
	}
}

func (b *tab) take(v *visitor, item any) {
	it := frame(item.(map[string]any))
	key := it.str("client_id")
	if key == "" {
		key = it.str("id")
	}
	if was, ok := b.seen[key]; ok && was != it.str("text") {
		v.t.Errorf("%s was %q and is %q", key, was, it.str("text"))
	}
	b.seen[key] = it.str("text")
}

// TestNothingFallsBetween: whatever is said, on whatever device, while the
// projection lags and connections come and go, every tab ends up with exactly
// the transcript of its handle.
func TestNothingFallsBetween(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"messages_per_minute": "600", "visitors_per_hour": "10000", "connections_per_minute": "6000"})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		gone := map[*visitor]chan struct{}{}
		open := func(b *tab) *visitor {
			v := w.visit(frame{"token": b.token, "who": b.who, "after": b.cursor})
			ready, end := make(chan struct{}), make(chan struct{})
			gone[v] = end
			go func() { defer close(end); b.follow(v, ready) }()
			<-ready
			return v
		}
		shut := func(v *visitor) {
			v.conn.Close()
			<-gone[v]
		}
		tabs := []*tab{{seen: map[string]string{}, news: make(chan struct{}, 1)}, {seen: map[string]string{}, news: make(chan struct{}, 1)}}
		conns := []*visitor{open(tabs[0]), nil}
		tabs[1].token = tabs[0].token
		defer func() {
			for _, v := range conns {
				if v != nil {
					shut(v)
				}
			}
		}()
		// The first message names the handle.
		n++ // never used twice: inputs of an earlier case may still come in
		conns[0].send(message(n, "m0"))
		var address string
		w.hub.until("the first message is in", func() bool {
			for id, raw := range w.hub.raws {
				if strings.HasSuffix(id, "/"+clientID(n)) {
					address = raw.Peek.Address
				}
			}
			return address != ""
		})

		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			i := rapid.IntRange(0, 1).Draw(rt, "tab")
			switch rapid.SampledFrom([]string{"reply", "reply unsent", "say", "come and go", "lag"}).Draw(rt, "step") {
			case "reply":
				if _, err := w.adapter.Send(context.Background(), w.hub.reply("shop", address, fmt.Sprintf("r%d", n))); err != nil {
					rt.Fatal(err)
				}
			case "reply unsent": // decided; its sending comes later or never
				w.hub.reply("shop", address, fmt.Sprintf("u%d", n))
			case "say":
				if conns[i] != nil {
					n++
					conns[i].send(message(n, fmt.Sprintf("m%d", n)))
				}
			case "come and go":
				if conns[i] != nil {
					shut(conns[i])
					conns[i] = nil
				} else {
					conns[i] = open(tabs[i])
				}
			case "lag":
				w.hub.setLag(rapid.IntRange(0, 4).Draw(rt, "lag"))
			}
		}
		// Half of the time the last reply is sent while nobody is there, and the
		// projection learns of it only after everybody is back.
		if rapid.Bool().Draw(rt, "nobody there") {
			for i, v := range conns {
				if v != nil {
					shut(v)
					conns[i] = nil
				}
			}
		}
		if _, err := w.adapter.Send(context.Background(), w.hub.reply("shop", address, "the last")); err != nil {
			rt.Fatal(err)
		}
		for i := range conns {
			if conns[i] == nil {
				conns[i] = open(tabs[i])
			}
		}
		w.hub.setLag(0)
		deadline := time.After(time.Minute)
		for i, b := range tabs {
			for missing := w.missing(b, address); missing != ""; missing = w.missing(b, address) {
				select {
				case <-b.news:
				case <-deadline:
					rt.Fatalf("tab %d never saw %s", i, missing)
				}
			}
		}
	})
}

// missing names one line of the transcript that a tab lacks, or one it should not have.
func (w *world) missing(b *tab, address string) string {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	want := map[string]bool{}
	for _, it := range w.hub.lines[address] {
		key := it.GetClientId()
		if key == "" {
			key = it.GetId()
		}
		want[key] = true
		if _, ok := b.seen[key]; !ok {
			return key
		}
	}
	for key := range b.seen {
		if !want[key] {
			return "only what is there, but also " + key
		}
	}
	return ""
}
