package law_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// TestLaw10OneBadInputHarmsItselfAlone: inputs the parser refuses or panics
// over come between others. Each becomes one placeholder that keeps the
// original; all others get in. When the parser is mended they are read: their
// messages are there once, the placeholders are hidden.
func TestLaw10OneBadInputHarmsItselfAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapidSource{t}, faults{})
		bad := map[string]bool{}
		w.badly = func(in input) {
			bad[in.raw.ProviderID] = true
		}
		w.run(rapid.IntRange(10, 60).Draw(t, "steps"))
		w.finish()
		if err := w.placeholders(bad, false); err != nil {
			t.Fatalf("%v\n%s", err, w.report())
		}
		w.parser.mended = true
		for _, in := range w.inputs {
			if !bad[in.raw.ProviderID] {
				continue
			}
			for range 2 { // twice is once
				if err := w.settle(w.reread(in)); err != nil {
					t.Fatalf("read again: %v\n%s", err, w.report())
				}
			}
		}
		if err := w.placeholders(bad, true); err != nil {
			t.Fatalf("mended: %v\n%s", err, w.report())
		}
		if err := w.once(); err != nil { // now of all inputs
			t.Fatalf("mended: %v\n%s", err, w.report())
		}
		if err := w.inOrder(); err != nil {
			t.Fatal(err)
		}
	})
}

func (w *world) reread(in input) intent {
	return intent{name: "reread " + in.raw.ProviderID, run: func(ctx context.Context, p *process) error {
		return p.ingest.Reread(ctx, ingest.Input{Raw: &in.raw, Ref: "in/" + in.raw.ProviderID})
	}}
}

// placeholders checks that the bad inputs, and no others, have one placeholder
// each, with the original and a reason; hidden when they were read.
func (w *world) placeholders(bad map[string]bool, hidden bool) error {
	shown := map[string]int{}
	gone := map[string]int{}
	for _, m := range eventsOf[event.MessageReread](w) {
		gone[m.Message]++
	}
	got := map[string]bool{}
	for _, c := range eventsOf[event.MessageChanged](w) {
		got[c.Change] = true
	}
	for _, m := range eventsOf[event.MessageReceived](w) {
		body, err := seal.Open[event.MessageBody](context.Background(), w.keys, m.Body, event.MessageAAD(m.Message))
		if err != nil {
			return err
		}
		got[m.Message] = true
		if body.Unparsed == "" {
			continue
		}
		shown[m.Raw]++
		if (gone[m.Message] == 1) != hidden {
			return fmt.Errorf("placeholder of %s was hidden %d times", m.Raw, gone[m.Message])
		}
	}
	for _, in := range w.inputs {
		want := 0
		if bad[in.raw.ProviderID] {
			want = 1
		}
		if n := shown["in/"+in.raw.ProviderID]; n != want {
			return fmt.Errorf("input %s has %d placeholders, want %d", in.raw.ProviderID, n, want)
		}
		for _, id := range in.ids {
			if want == 0 && !got[id] {
				return fmt.Errorf("input %s did not get in", in.raw.ProviderID)
			}
		}
	}
	return nil
}
