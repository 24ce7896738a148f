package person_test

import (
	"fmt"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/conversation/internal/person"
)

// TestLaw02CutParts: what Cut names parts the two, and no fewer links do, as
// trying all of them shows.
func TestLaw02CutParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		var edges []person.Edge
		for i := range rapid.IntRange(0, 9).Draw(t, "links") {
			x, y := id.Draw(t, "x"), id.Draw(t, "y")
			if x != y {
				edges = append(edges, person.Edge{Link: fmt.Sprint(i), A: min(x, y), B: max(x, y)})
			}
		}
		cut := person.Cut(edges, "a", "b")
		gone := map[string]bool{}
		for _, e := range cut {
			gone[e.Link] = true
		}
		if connected(edges, func(i int) bool { return gone[edges[i].Link] }) {
			t.Fatalf("%v does not part a and b in %v", cut, edges)
		}
		for mask := range 1 << len(edges) {
			if bits.OnesCount(uint(mask)) < len(cut) && !connected(edges, func(i int) bool { return mask>>i&1 == 1 }) {
				t.Fatalf("%v parts a and b, but %b of %v is less", cut, mask, edges)
			}
		}
	})
}

func connected(edges []person.Edge, gone func(int) bool) bool {
	seen := map[string]bool{"a": true}
	for range edges {
		for i, e := range edges {
			if !gone(i) && (seen[e.A] || seen[e.B]) {
				seen[e.A], seen[e.B] = true, true
			}
		}
	}
	return seen["b"]
}
