package outbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/outbox"
)

// After an unknown outcome the provider is asked, and its answer decides.
func TestLook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first   answer
		answers []lookAnswer
		states  []channel.State
		sends   int
		looks   int // 0: any number from 2 on
	}{
		"it arrived": {
			first: answer{state: channel.StateUnknown}, answers: []lookAnswer{{state: channel.StateSent}},
			states: []channel.State{channel.StateUnknown, channel.StateSent}, sends: 1, looks: 1,
		},
		"it was refused": {
			first: answer{state: channel.StateUnknown}, answers: []lookAnswer{{state: channel.StateFailed}},
			states: []channel.State{channel.StateUnknown, channel.StateFailed}, sends: 1, looks: 1,
		},
		"certainly not": {
			first: answer{state: channel.StateUnknown}, answers: []lookAnswer{{}},
			states: []channel.State{channel.StateUnknown, channel.StateSent}, sends: 2, looks: 1,
		},
		"not known, then it arrived": {
			first: answer{state: channel.StateUnknown}, answers: []lookAnswer{{err: said("busy")}, {state: channel.StateUnknown}, {state: channel.StateDelivered}},
			states: []channel.State{channel.StateUnknown, channel.StateDelivered}, sends: 1, looks: 3,
		},
		"never known": {
			first: answer{state: channel.StateUnknown}, answers: []lookAnswer{{err: said("busy")}},
			states: []channel.State{channel.StateUnknown, channel.StateUnknown}, sends: 1,
		},
		"nothing in doubt": {
			first: answer{err: said("busy")}, answers: []lookAnswer{{state: channel.StateSent}},
			states: []channel.State{channel.StateRetrying, channel.StateSent}, sends: 2, looks: -1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := newFar(map[string][]answer{"m": {c.first}})
			look := &lookingProcess{answers: c.answers}
			brief := func(d *outbox.Deps) { d.Policy.LookFor = 60 * time.Millisecond }
			w.publish(message("email", "m", "c"))
			p := w.startLooking(f, 0, look, brief)
			f.await(t, "the end", func() bool { return w.left("email") == 0 })
			p.stop()
			if d := cmp.Diff(c.states, f.states("m")); d != "" {
				t.Error(d)
			}
			if n := len(f.sent("m")); n != c.sends {
				t.Errorf("%d sends, want %d", n, c.sends)
			}
			switch n := len(look.looks); {
			case c.looks == 0 && n < 2, c.looks < 0 && n != 0, c.looks > 0 && n != c.looks:
				t.Errorf("asked %d times", n)
			}
			for i, s := range f.sent("m") {
				if s.Unknown {
					t.Errorf("send %d was told of a doubt that the provider had removed", i)
				}
			}
		})
	}
}

// Killed at any step, a message whose provider can be asked goes out once.
func TestLookAfterACrash(t *testing.T) {
	t.Parallel()
	for dies := 1; dies <= 8; dies++ {
		w := newWorld(t)
		f := newFar(nil)
		w.publish(message("email", "m", "c"))
		first := w.startLooking(f, dies, &lookingProcess{answers: []lookAnswer{{}}})
		select {
		case <-first.dead:
		case <-within(t).Done():
			t.Fatal("it does not die")
		}
		first.stop()
		arrived := len(f.sent("m")) > 0
		truth := lookAnswer{}
		if arrived {
			truth.state = channel.StateSent
		}
		look := &lookingProcess{answers: []lookAnswer{truth}}
		second := w.startLooking(f, 0, look)
		f.await(t, "the end", func() bool { return w.left("email") == 0 })
		second.stop()
		if n := len(f.sent("m")); n != 1 {
			t.Errorf("killed at step %d: sent %d times", dies, n)
		}
		if s := f.states("m"); len(s) == 0 || s[len(s)-1] != channel.StateSent {
			t.Errorf("killed at step %d: %v", dies, s)
		}
	}
}

// A person's order to send again asks too.
func TestLookBeforeANewRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFar(map[string][]answer{"m": {{state: channel.StateUnknown}}})
	look := &lookingProcess{answers: []lookAnswer{{err: said("busy")}}}
	p := w.startLooking(f, 0, look, func(d *outbox.Deps) { d.Policy.LookFor = time.Millisecond })
	w.publish(message("email", "m", "c"))
	f.await(t, "the first round", func() bool { return w.left("email") == 0 && len(f.states("m")) == 2 })
	look.mu.Lock()
	look.answers = append(look.answers, make([]lookAnswer, len(look.looks)+1)...)
	for i := range look.answers {
		look.answers[i] = lookAnswer{state: channel.StateRead}
	}
	look.mu.Unlock()
	again := message("email", "m", "c")
	again.Attempt = 2
	w.publish(again)
	f.await(t, "the second round", func() bool { return w.left("email") == 0 && len(f.states("m")) == 3 })
	p.stop()
	if n := len(f.sent("m")); n != 1 {
		t.Errorf("sent %d times, although it had arrived", n)
	}
}
