package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
)

var errCrash = errors.New("the process ended here")

// history of several customers with one to many messages each.
func drawHistory(t *rapid.T) (lines []string) {
	n := 0
	for c := range rapid.IntRange(1, 4).Draw(t, "customers") {
		id := fmt.Sprint("c", c)
		lines = append(lines, customer(id, id+"@x.org"))
		for v := range rapid.IntRange(1, 3).Draw(t, "conversations") {
			conv := fmt.Sprintf("%sv%d", id, v)
			status := rapid.SampledFrom([]string{"open", "closed", "pending"}).Draw(t, "status")
			lines = append(lines, conversation(conv, id, fmt.Sprintf(`,"status":%q,"tags":["t"]`, status)))
			for range rapid.IntRange(1, 5).Draw(t, "messages") {
				n++
				direction := rapid.SampledFrom([]string{"in", "out"}).Draw(t, "direction")
				clock := fmt.Sprintf("%02d:%02d:00", rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"))
				lines = append(lines, message(fmt.Sprint("m", n), conv, direction, clock, ""))
			}
		}
	}
	return rapid.Permutation(lines).Draw(t, "order")
}

// told is the log for comparison: of every customer his commits, without ids,
// which are under each rig's own key.
func told(r *rig) map[string][]string {
	r.t.Helper()
	out, once := map[string][]string{}, map[string]bool{}
	for n := range 4 {
		own, err := r.Claims.Find(r.t.Context(), "default", email(fmt.Sprintf("c%d@x.org", n)))
		if err != nil {
			r.t.Fatal(err)
		}
		for _, stream := range []string{"handle." + own.ID, "customer." + own.Customer} {
			for _, c := range r.ofStream(stream) {
				if once[stream+"/"+c.ID] {
					r.t.Errorf("%s is in %s twice", c.ID, stream)
				}
				once[stream+"/"+c.ID] = true
				kind, _, _ := strings.Cut(c.ID, ":")
				line := fmt.Sprintf("%s %s %s", kind, c.At.Format(time.RFC3339Nano), c.Actor)
				for _, e := range c.Events {
					line += strings.TrimPrefix(fmt.Sprintf(" %T", e), "event.")
				}
				out[own.Kind+strconv.Itoa(n)] = append(out[own.Kind+strconv.Itoa(n)], line)
			}
		}
	}
	if len(once) != len(r.Commits()) {
		r.t.Errorf("%d commits, of which %d are known customers'", len(r.Commits()), len(once))
	}
	return out
}

// An import that is cut off anywhere, any number of times, and run again writes
// what one that was not would have: every message once, in order, at its time.
func TestLaw01ImportIsOnceOverCrashes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		lines := drawHistory(rt)
		plain, torn := setup(t), setup(t)
		plain.must(lines...)
		want := told(plain)
		for crash := range rapid.IntRange(1, 4).Draw(rt, "crashes") {
			after := rapid.IntRange(0, 25).Draw(rt, "appends")
			lost := rapid.Bool().Draw(rt, "answer lost")
			var mu sync.Mutex
			torn.Store.SetHook(func(op eventstore.Op, _, _ string) error {
				mu.Lock()
				defer mu.Unlock()
				if lost && op == eventstore.AfterAppend || !lost && op == eventstore.BeforeAppend {
					if after--; after < 0 {
						return errCrash
					}
				}
				return nil
			})
			_, err := torn.run(replay.Config{}, lines...)
			if err != nil && !errors.Is(err, errCrash) {
				rt.Fatalf("crash %d: %v", crash, err)
			}
			torn.Store.SetHook(nil)
		}
		torn.must(lines...)
		if d := cmp.Diff(want, told(torn)); d != "" {
			rt.Fatalf("after crashes (-never +crashed):\n%s", d)
		}
		if rep := torn.must(lines...); rep.Commits != 0 {
			rt.Fatalf("once more: %+v", rep)
		}
	})
}

// Customers who write while their history comes in lose nothing and break nothing,
// and lost answers of the log change nothing.
func TestLaw01ImportBesideLiveMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		lines := drawHistory(rt)
		r := setup(t)
		every := rapid.IntRange(1, 6).Draw(rt, "every")
		var mu sync.Mutex
		n, live, lost := 0, 0, 0
		busy := false // a live message is on its way: what it appends is not disturbed
		r.Store.SetHook(func(op eventstore.Op, _, stream string) error {
			mu.Lock()
			if n++; busy || n%every != 0 {
				mu.Unlock()
				return nil
			}
			if op == eventstore.AfterAppend && lost < 5 {
				lost++
				mu.Unlock()
				return eventstore.ErrUnknown
			}
			if op != eventstore.BeforeAppend || live >= 10 || !strings.HasPrefix(stream, "customer.") {
				mu.Unlock()
				return nil
			}
			busy = true
			id := fmt.Sprint("live", n)
			from := email(fmt.Sprintf("c%d@x.org", n%4))
			mu.Unlock()
			r.looking.Lock()
			err := r.Deliver("email", "support", id, channel.Message{ID: id, From: from})
			r.looking.Unlock()
			mu.Lock()
			defer mu.Unlock()
			busy = false
			if err == nil {
				live++
			}
			return nil
		})
		rep, err := r.run(replay.Config{}, lines...)
		r.Store.SetHook(nil)
		if err != nil {
			rt.Fatal(err)
		}
		r.must(lines...)
		seen := map[string]int{}
		last := map[string]time.Time{}
		ids := map[string]bool{}
		for _, c := range r.Commits() {
			if !c.At.After(last[c.Stream]) {
				rt.Fatalf("%s: recorded at %s after %s", c.Stream, c.At, last[c.Stream])
			}
			last[c.Stream] = c.At
			if k := c.Stream + "/" + c.ID; ids[k] {
				rt.Fatalf("%s twice", k)
			} else {
				ids[k] = true
			}
			for _, e := range c.Events {
				switch e := e.(type) {
				case event.MessageReceived:
					seen[e.Message]++
				case event.ReplyRequested:
					seen[e.Reply]++
				}
			}
		}
		if len(seen) != rep.Messages+live {
			rt.Fatalf("%d messages, want %d of the file and %d live", len(seen), rep.Messages, live)
		}
		for id, n := range seen {
			if n != 1 {
				rt.Fatalf("message %s is there %d times", id, n)
			}
		}
	})
}

// A history is the same whatever the order of its lines.
func TestTheOrderOfLinesDoesNotMatter(t *testing.T) {
	t.Parallel()
	a, b := setup(t), setup(t)
	lines := strings.Split(strings.ReplaceAll(strings.Join(whole(), "\n"), "ada@x.org", "c0@x.org"), "\n")
	a.must(lines...)
	slices.Reverse(lines)
	b.must(lines...)
	if d := cmp.Diff(told(a), told(b)); d != "" {
		t.Error(d)
	}
}
