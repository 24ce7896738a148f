package person_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

func link(g *person.Graph, id, a, b string) {
	g.Apply("link."+min(a, b)+"."+max(a, b), event.Linked{Link: id, A: a, B: b, Rule: "agent"})
}

func unlink(g *person.Graph, id, a, b string) {
	g.Apply("link."+min(a, b)+"."+max(a, b), event.Unlinked{Link: id})
}

// TestUndoingOneOfThree is counterexample C-3: a link is between the ids named,
// so cutting the first leaves the third where it was asked for.
func TestUndoingOneOfThree(t *testing.T) {
	t.Parallel()
	g := person.New()
	link(g, "1", "a", "b")
	link(g, "2", "c", "a")
	unlink(g, "1", "a", "b")
	if d := cmp.Diff([]string{"a", "c"}, g.Members("c")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b"}, g.Members("b")); d != "" {
		t.Error(d)
	}
}

// TestAPairKeepsItsOtherLink is C-23.
func TestAPairKeepsItsOtherLink(t *testing.T) {
	t.Parallel()
	g := person.New()
	link(g, "1", "a", "b")
	link(g, "2", "b", "a")
	unlink(g, "1", "a", "b")
	if g.Canonical("b") != "a" {
		t.Error("b is not one with a any more")
	}
	link(g, "1", "a", "b") // comes again
	unlink(g, "2", "a", "b")
	if g.Canonical("b") != "b" {
		t.Error("a link that was taken back came back")
	}
}

func TestAnErasedMemberIsNoCanonicalOne(t *testing.T) {
	t.Parallel()
	g := person.New()
	link(g, "1", "a", "b")
	g.Apply("customer.a", event.CustomerErased{EraseID: "x"})
	if got := g.Canonical("b"); got != "b" {
		t.Errorf("canonical of b is %s", got)
	}
	if got := g.Canonical("a"); got != "a" {
		t.Errorf("an erased customer resolves to %s, a living one", got)
	}
}

// TestLaw04MembersAreTheComponents: whatever was linked and unlinked, in any
// order, two customers are one person exactly when links not taken back connect them.
func TestLaw04MembersAreTheComponents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type pair struct{ id, a, b string }
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		g := person.New()
		var links []pair
		active := map[string]pair{}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			if len(links) > 0 && rapid.Bool().Draw(t, "undo") {
				l := rapid.SampledFrom(links).Draw(t, "which")
				unlink(g, l.id, l.a, l.b)
				delete(active, l.id)
				continue
			}
			l := pair{fmt.Sprint(len(links)), id.Draw(t, "a"), id.Draw(t, "b")}
			if l.a == l.b {
				continue
			}
			links = append(links, l)
			active[l.id] = l
			link(g, l.id, l.a, l.b)
		}
		root := map[string]string{"a": "a", "b": "b", "c": "c", "d": "d", "e": "e", "f": "f"}
		for _, l := range active {
			from, to := root[l.a], root[l.b]
			for k, r := range root {
				if r == from {
					root[k] = to
				}
			}
		}
		for c := range root {
			var want []string
			for k, r := range root {
				if r == root[c] {
					want = append(want, k)
				}
			}
			slices.Sort(want)
			if d := cmp.Diff(want, g.Members(c)); d != "" {
				t.Fatalf("members of %s: %s", c, d)
			}
		}
	})
}
