package resolve_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/internal/docstore"
	"pgregory.net/rapid"
)

const tight = `
rules: [{name: proof, version: 1, when: proof, claim: 2, owner: 2, outcome: link}]
limits: {members: 3, handles: 50, candidates: 20, logins: [external], kinds: {default: {max: 50}}}
shared: {owners: 2, level: 3}
`

var histories atomic.Int64

// race lets two hubs follow one log, each with a read side of its own that lags
// as it likes, and says which limit a person made without agents breaks in the end.
func race(t *rapid.T, store docstore.Store, guarded bool) (broken string) {
	w := newWorld(t)
	// An index of this history's own, which both hubs write.
	rules := rulesOf(t, fmt.Sprintf("%s# history %d", tight, histories.Add(1)))
	customers := []string{"a", "b", "c", "d", "e", "f"}
	for i, c := range customers {
		level := 2
		if rapid.IntRange(0, 2).Draw(t, "login") == 0 {
			level = 4
		}
		w.append("handle.x"+c, event.HandleClaimed{Tenure: 1, Customer: c, Kind: "external", Scope: fmt.Sprint(i % 2), Assurance: level})
	}
	var hubs [2]*resolver
	var at [2][partitions]uint64
	for i := range hubs {
		hubs[i] = w.resolver(store, rules, func(d *resolve.Deps) { d.NoGuard = !guarded })
	}
	proofs := rapid.IntRange(1, 8).Draw(t, "proofs")
	for range rapid.IntRange(20, 120).Draw(t, "steps") {
		i := rapid.IntRange(0, 1).Draw(t, "hub")
		p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
		switch {
		case proofs > 0 && rapid.IntRange(0, 4).Draw(t, "proof") == 0:
			proofs--
			a := rapid.SampledFrom(customers).Draw(t, "a")
			if b := rapid.SampledFrom(customers).Draw(t, "b"); a != b {
				w.heads["customer."+a] = w.head("customer." + a)
				w.proves(a, "x"+a, b, "x"+b, 4)
			}
		case rapid.Bool().Draw(t, "read"):
			if err := hubs[i].WaitFor(t.Context(), p, hubs[i].applied[p]+1); err != nil {
				t.Fatalf("%v", err)
			}
		default:
			w.step(hubs[i], &at[i], p, rapid.IntRange(1, 3).Draw(t, "batch"))
		}
	}
	for more := true; more; { // all of it is seen in the end, in whatever order
		more = false
		for _, p := range rapid.Permutation([]int{0, 1, 2}).Draw(t, "order") {
			for i := range hubs {
				more = w.step(hubs[i], &at[i], p, 1) || more
			}
		}
	}
	return w.verdict(rules)
}

// verdict looks at the log alone.
func (w *world) verdict(rules *resolve.Rules) string {
	f := &follower{log: w.log, graph: person.New()}
	for p := range partitions {
		if err := f.WaitFor(w.Context(), p, 1<<40); err != nil {
			w.Fatalf("%v", err)
		}
	}
	for _, c := range []string{"a", "b", "c", "d", "e", "f"} {
		members := f.graph.Members(c)
		if len(members) > rules.Limits.Members {
			return fmt.Sprintf("%v are one person", members)
		}
		logins := map[string]string{}
		for _, m := range members {
			h := w.claimed("handle.x" + m)
			if other := logins[h.Scope]; h.Assurance >= 4 && other != "" {
				return fmt.Sprintf("%s and %s have two logins", other, m)
			} else if h.Assurance >= 4 {
				logins[h.Scope] = m
			}
		}
	}
	return ""
}

func rulesOf(t interface{ Fatal(...any) }, source string) *resolve.Rules {
	r, err := resolve.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// However two hubs and their lagging read sides interleave, no person made
// without an agent breaks a limit in the end.
func TestLaw02GuardKeepsLimits(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	rapid.Check(t, func(t *rapid.T) {
		if broken := race(t, store, true); broken != "" {
			t.Fatal(broken)
		}
	})
}

// Without the guard the same histories break it: the check before a link alone
// does not hold a limit over a person.
func TestWithoutGuardLimitsBreak(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	broken := 0
	rapid.Check(t, func(t *rapid.T) {
		if race(t, store, false) != "" {
			broken++
		}
	})
	if broken == 0 {
		t.Error("no history broke a limit: the law above shows nothing")
	}
	t.Logf("%d histories broke a limit", broken)
}

// What agents made stays, and what came before it.
func TestGuardLeavesAgentsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []string{"a", "b", "c", "d"} {
		w.append("handle.x"+c, event.HandleClaimed{Tenure: 1, Customer: c, Kind: "chat", Assurance: 2})
	}
	w.proves("a", "xa", "b", "xb", 2)
	r := w.resolver(openStore(t), rulesOf(t, tight), nil)
	w.settle(r)
	for _, pair := range [][2]string{{"b", "c"}, {"c", "d"}} { // four: over the limit, by hand
		w.append("link."+pair[0]+"."+pair[1], event.Linked{Link: pair[0] + pair[1], A: pair[0], B: pair[1], Rule: "agent"})
	}
	w.settle(w.resolver(openStore(t), rulesOf(t, tight), nil))
	for _, h := range w.happened() {
		if slices.Contains([]string{"unlinked link.a.b: guard:members", "unlinked link.b.c: guard:members"}, h) {
			t.Error(h)
		}
	}
}
