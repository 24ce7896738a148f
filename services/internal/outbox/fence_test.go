package outbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/outbox"
)

// TestFence: state is that of a copy, and what it has no outcome for may have
// been sent since.
func TestFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	restored := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	at := func(id string, asked time.Time) channel.Outbound {
		out := message("email", id, "c-"+id)
		out.At = asked
		return out
	}
	f := newFar(map[string][]answer{"busy": {{err: &channel.RetryAfterError{After: time.Hour, Err: said("busy")}}}})

	// Before the copy: one was sent, one waits for its next attempt.
	first := w.start(f, "email", 0)
	w.publish(at("sent", restored.Add(-2*time.Hour)))
	w.publish(at("busy", restored.Add(-2*time.Hour)))
	f.await(t, "both", func() bool { return len(f.states("sent")) == 1 && len(f.states("busy")) == 1 })
	first.stop()

	if err := outbox.Fence(within(t), w.db, restored); err != nil {
		t.Fatal(err)
	}
	w.publish(at("new", restored.Add(-time.Minute)))
	w.publish(at("edge", restored))
	w.publish(at("after", restored.Add(time.Microsecond)))
	second := w.start(f, "email", 0)
	f.await(t, "all", func() bool { return w.left("email") == 0 })
	second.stop()
	for id, want := range map[string][]channel.State{
		"busy":  {channel.StateRetrying, channel.StateUnknown},
		"new":   {channel.StateUnknown},
		"edge":  {channel.StateUnknown},
		"after": {channel.StateSent},
		"sent":  {channel.StateSent},
	} {
		if d := cmp.Diff(want, f.states(id)); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
	if n := len(f.sent("new")) + len(f.sent("edge")) + len(f.sent("busy")); n != 1 {
		t.Errorf("%d sends of what was asked for before the fence, want the one before it", n)
	}

	// A person's decision is after the fence, and the channel hears of the doubt.
	again := at("new", restored.Add(time.Hour))
	again.Attempt = 2
	w.publish(again)
	w.start(f, "email", 0)
	f.await(t, "the second round", func() bool { return w.left("email") == 0 })
	if d := cmp.Diff([]send{{"new", 2, true}}, f.sent("new")); d != "" {
		t.Error(d)
	}
}

type said string

func (e said) Error() string { return string(e) }
