package outbox_test

import (
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/outbox"
)

// TestPausedInboxKeepsItsMessages: people are told at once, another inbox goes
// on, and afterwards everything goes out once and in order.
func TestPausedInboxKeepsItsMessages(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t), newFar(nil)
	var paused atomic.Bool
	paused.Store(true)
	w.start(f, "email", 0, func(d *outbox.Deps) {
		d.Paused = func(id string) bool { return id == "support" && paused.Load() }
	})
	w.publish(message("email", "one", "c1"))
	w.publish(message("email", "two", "c1"))
	other := message("email", "other", "c1")
	other.Inbox = "sales"
	w.publish(other)
	f.await(t, "the word that it is paused, and the other inbox", func() bool { return len(f.states("one")) == 1 && len(f.states("other")) == 1 })
	if d := cmp.Diff([]channel.State{channel.StateRetrying}, f.states("one")); d != "" {
		t.Error(d)
	}
	f.mu.Lock()
	r := f.reports[0]
	if r.Outbound != "one" {
		r = f.reports[1]
	}
	f.mu.Unlock()
	if r.Detail != "the inbox is paused" || r.At.Year() < 2026 {
		t.Errorf("report %+v", r)
	}
	if n := len(f.sent("one")) + len(f.sent("two")); n != 0 {
		t.Errorf("%d sends of a paused inbox", n)
	}
	paused.Store(false)
	f.await(t, "both", func() bool { return w.left("email") == 0 })
	f.mu.Lock()
	defer f.mu.Unlock()
	var order []string
	for _, s := range f.sends {
		if s.ID != "other" {
			order = append(order, s.ID)
		}
	}
	if d := cmp.Diff([]string{"one", "two"}, order); d != "" {
		t.Error(d)
	}
}

// TestWhatAnInboxWaitsForIsTold: who reads why a reply waits is not told of a
// pause that nobody ordered.
func TestWhatAnInboxWaitsForIsTold(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t), newFar(nil)
	var back atomic.Bool
	w.start(f, "email", 0, func(d *outbox.Deps) {
		senders := d.Senders
		d.Senders = func(id string) (channel.Sender, bool) {
			s, _ := senders(id)
			return s, back.Load()
		}
		d.Gone = func(id string) bool { return id == "removed" && !back.Load() }
	})
	for id, in := range map[string]string{"one": "removed", "two": "support"} {
		m := message("email", id, "c1")
		m.Inbox = in
		w.publish(m)
	}
	f.await(t, "why both wait", func() bool { return len(f.states("one")) == 1 && len(f.states("two")) == 1 })
	want, got := map[string]string{"one": "the inbox no longer exists", "two": "the inbox cannot send now"}, map[string]string{}
	f.mu.Lock()
	for _, r := range f.reports {
		got[r.Outbound] = r.Detail
	}
	f.mu.Unlock()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	back.Store(true) // by a configuration file
	f.await(t, "both", func() bool { return w.left("email") == 0 })
	if len(f.sent("one")) != 1 || len(f.sent("two")) != 1 {
		t.Errorf("sends %v", f.sends)
	}
}
