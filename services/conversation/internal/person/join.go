package person

import (
	"maps"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Join ties two conversations, by an agent. It counts while their customers
// are one person.
type Join struct {
	ID        string
	A, B      string // conversations
	Customers []string
}

func (g *Graph) join(ev event.Event) {
	switch e := ev.(type) {
	case event.ConversationsJoined:
		put(g.beside, e.A, e.B, true)
		put(g.beside, e.B, e.A, true)
		for _, c := range e.Customers {
			g.joining[c] = true
		}
		if !g.apart[e.Join] {
			j := Join{ID: e.Join, A: e.A, B: e.B, Customers: e.Customers}
			g.joined[e.Join] = j
			put(g.joins, e.A, e.Join, j)
			put(g.joins, e.B, e.Join, j)
		}
	case event.ConversationsUnjoined:
		g.apart[e.Join] = true
		j := g.joined[e.Join]
		delete(g.joined, e.Join)
		remove(g.joins, j.A, e.Join)
		remove(g.joins, j.B, e.Join)
	}
}

// Joins are the joins of a conversation that were not taken back, sorted by id.
// Whether one counts is for the caller to see: both customers must be one person.
func (g *Graph) Joins(conversation string) []Join {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return values(g.joins[conversation], func(j Join) string { return j.ID })
}

// JoinPeers are the conversations a conversation was ever joined with, sorted:
// with which it has a join stream, whatever it says today.
func (g *Graph) JoinPeers(conversation string) []string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return slices.Sorted(maps.Keys(g.beside[conversation]))
}

// Joining says whether a conversation of a customer was ever joined with another.
func (g *Graph) Joining(customer string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.joining[customer]
}

// Joined are the pairs of conversations that are joined now, smaller id first, sorted.
func (g *Graph) Joined() [][2]string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var out [][2]string
	for _, j := range g.joined {
		out = append(out, [2]string{min(j.A, j.B), max(j.A, j.B)})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(out)
}
