package channeltest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

func outbound(s Subject, h Harness, id, text string) channel.Outbound {
	out := h.Outbound(s)
	out.ID, out.Channel, out.Content.Text = id, s.Adapter.Channel(), text
	out.Attempt = max(1, out.Attempt)
	return out
}

func sendAnswers(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	out := outbound(s, h, "out-1", "an answer")
	r, err := s.Adapter.Send(ctx, out)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	switch {
	case r.Outbound != out.ID:
		t.Errorf("receipt is for %q, not %q", r.Outbound, out.ID)
	case r.Channel != out.Channel || r.Inbox != out.Inbox:
		t.Errorf("receipt is from %s/%s, the message was for %s/%s", r.Channel, r.Inbox, out.Channel, out.Inbox)
	case r.Customer != out.Customer:
		t.Errorf("receipt names customer %q, the message %q", r.Customer, out.Customer)
	case r.State != channel.StateSent && r.State != channel.StateDelivered && r.State != channel.StateRead:
		t.Errorf("a good message is %s: %s", r.State, r.Detail)
	}
	await(t, h, s, "an answer", 1)
}

func sendTwice(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	if !s.Adapter.Capabilities().IdempotentSend {
		h.lacks("not promised: the hub reports an unknown outcome instead of sending again by itself")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	out := outbound(s, h, "out-1", "only once")
	for attempt := range 3 {
		out.Attempt, out.Unknown = attempt+1, attempt > 0
		if r, err := s.Adapter.Send(ctx, out); err != nil || r.State == channel.StateFailed {
			t.Fatalf("attempt %d: %+v, %v", attempt+1, r, err)
		}
	}
	// What is sent later is shown later: once it is there, the others were, too.
	if _, err := s.Adapter.Send(ctx, outbound(s, h, "out-2", "the next")); err != nil {
		t.Fatalf("send: %v", err)
	}
	await(t, h, s, "the next", 1)
	await(t, h, s, "only once", 1)
}

func sendCancelled(t *testing.T, h Harness) {
	s := h.New(t, &Intake{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan error, 1)
	go func() {
		r, err := s.Adapter.Send(ctx, outbound(s, h, "out-1", "too late"))
		if err == nil && r.State == "" {
			t.Error("no error and no state")
		}
		done <- err
	}()
	select {
	case <-done:
	case <-time.After(h.Wait):
		t.Error("send does not heed its context")
	}
}

// await waits until the far end shows a text so many times.
func await(t *testing.T, h Harness, s Subject, text string, times int) {
	t.Helper()
	count := func() (n int) {
		for shown := range slices.Values(s.Shown()) {
			if shown == text {
				n++
			}
		}
		return n
	}
	if !until(t, h, func() bool { return count() == times }) {
		t.Fatalf("%.200q is shown %d times, want %d", text, count(), times)
	}
}

// until polls the far end, which has no way to tell.
func until(t *testing.T, h Harness, ok func() bool) bool {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(h.Wait)
	for {
		if ok() {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}
