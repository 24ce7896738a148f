package typing

import (
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// TestABoardCallsOncePerInterval: every line is a second of an agent's typing
// to one customer, on a provider that is told again after four.
func TestABoardCallsOncePerInterval(t *testing.T) {
	t.Parallel()
	ada := place{"bot", channel.Address{Kind: "telegram", Address: "1"}}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		heard map[int]string // + on, - off
		busy  int            // seconds that each call takes
		want  string
	}{
		"said once, it ends by itself":     {map[int]string{0: "+"}, 0, "0+ 4+ 8+ 12+ 15-"},
		"repeated, it goes on":             {map[int]string{0: "+", 10: "+"}, 0, "0+ 4+ 8+ 12+ 16+ 20+ 24+ 25-"},
		"said very often":                  {map[int]string{0: "+", 1: "+", 2: "+", 3: "+", 5: "+", 6: "-"}, 0, "0+ 4+ 6-"},
		"off and on again within interval": {map[int]string{0: "+", 1: "-", 2: "+", 3: "-", 4: "+", 6: "-"}, 0, "0+ 1- 4+ 6-"},
		"off alone":                        {map[int]string{0: "-"}, 0, ""},
		"the provider is slow":             {map[int]string{0: "+", 2: "-"}, 3, "0+ 3-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, got := newBoard(4*time.Second), ""
			var under *call
			ends := 0
			for s := range 60 {
				now := start.Add(time.Duration(s) * time.Second)
				if under != nil && s >= ends {
					b.done(*under)
					under = nil
				}
				if sign, ok := c.heard[s]; ok {
					b.heard(ada, sign == "+", now)
				}
				for _, one := range b.due(now) {
					if under != nil {
						t.Fatal("two calls at a time")
					}
					got += fmt.Sprint(s, map[bool]string{true: "+ ", false: "- "}[one.on])
					under, ends = &one, s+c.busy
					if c.busy == 0 {
						b.done(one)
						under = nil
					}
				}
			}
			if want := c.want; got != want && got != want+" " {
				t.Errorf("calls %q, want %q", got, want)
			}
			if len(b.marks) != 0 {
				t.Errorf("%d customers are remembered", len(b.marks))
			}
		})
	}
}

// TestABoardWaitsForWhatIsNext: it never sleeps past a call that is due.
func TestABoardWaitsForWhatIsNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := newBoard(4 * time.Second)
	if d := b.pause(now); d < time.Minute {
		t.Errorf("with nobody it waits for %s", d)
	}
	p := place{"bot", channel.Address{Address: "1"}}
	b.heard(p, true, now)
	calls := b.due(now)
	if d := b.pause(now); len(calls) != 1 || d < time.Minute {
		t.Errorf("%d calls, and while one is under way it waits for %s", len(calls), d)
	}
	b.done(calls[0])
	if d := b.pause(now.Add(time.Second)); d != 3*time.Second {
		t.Errorf("the next is due in %s, want 3s", d)
	}
	for i := range most + 10 {
		b.heard(place{"bot", channel.Address{Address: fmt.Sprint(i)}}, true, now)
	}
	if n := len(b.marks); n != most {
		t.Errorf("%d customers are remembered, want at most %d", n, most)
	}
}
