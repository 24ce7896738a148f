// Package person knows who is one person: the customers that active links
// connect. It is a fold of the link streams in memory; what is stored of it are
// the documents of the pairs, from which it is filled when a hub starts.
package person

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Edge is a link.
type Edge struct {
	Link string
	A, B string // A < B
	Rule string
	At   time.Time // recorded; zero where it was not told
}

// Before is the order links are walked in: by time, then by id.
func (e Edge) Before(o Edge) int { return cmp.Or(e.At.Compare(o.At), strings.Compare(e.Link, o.Link)) }

// Automatic says that no agent made it.
func (e Edge) Automatic() bool { return e.Rule != RuleAgent }

// RuleAgent is the rule of a merge by hand.
const RuleAgent = "agent"

// Graph is the links as far as they were applied. Safe for concurrent use.
// Commits of one link stream must come in order; a repeated one changes nothing.
type Graph struct {
	mu     sync.RWMutex
	links  map[string]Edge            // active, by id
	edges  map[string]map[string]Edge // the same by customer and id
	undone map[string]Edge            // links taken back: one never comes again
	pairs  map[string]map[string]bool // by customer: with whom he has a link stream
	tied   map[string]time.Time       // when a customer's link streams last told something
	erased map[string]bool
	joined map[string]Join            // active, by id
	joins  map[string]map[string]Join // the same by conversation and id
	apart  map[string]bool            // joins taken back
	// beside is by conversation with which ones it has a join stream, joining who
	// has such conversations.
	beside  map[string]map[string]bool
	joining map[string]bool
}

// New makes an empty graph.
func New() *Graph {
	return &Graph{
		links: map[string]Edge{}, edges: map[string]map[string]Edge{}, undone: map[string]Edge{}, pairs: map[string]map[string]bool{}, tied: map[string]time.Time{},
		erased: map[string]bool{}, joined: map[string]Join{}, joins: map[string]map[string]Join{}, apart: map[string]bool{},
		beside: map[string]map[string]bool{}, joining: map[string]bool{},
	}
}

// Apply folds an event of a link or join stream, or a customer's erasure.
// Others change nothing.
func (g *Graph) Apply(stream string, ev event.Event) { g.ApplyAt(stream, time.Time{}, ev) }

// ApplyAt is Apply for who knows when it was recorded.
func (g *Graph) ApplyAt(stream string, at time.Time, ev event.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kind, id, _ := strings.Cut(stream, ".")
	switch kind {
	case "link":
		g.link(id, at, ev)
	case "join":
		g.join(ev)
	case "customer":
		switch ev.(type) {
		case event.CustomerErased, event.ErasureDone: // a purge leaves the latter alone
			g.erased[id] = true
		}
	}
}

func (g *Graph) link(pair string, at time.Time, ev event.Event) {
	a, b, ok := strings.Cut(pair, ".")
	if !ok {
		return
	}
	put(g.pairs, a, b, true)
	put(g.pairs, b, a, true)
	for _, c := range []string{a, b} {
		if at.After(g.tied[c]) {
			g.tied[c] = at
		}
	}
	switch e := ev.(type) {
	case event.Linked:
		if _, undone := g.undone[e.Link]; undone {
			return
		}
		edge := Edge{Link: e.Link, A: a, B: b, Rule: e.Rule, At: at}
		g.links[e.Link] = edge
		put(g.edges, a, e.Link, edge)
		put(g.edges, b, e.Link, edge)
	case event.Unlinked:
		edge, active := g.links[e.Link]
		if !active {
			edge = Edge{Link: e.Link, A: a, B: b}
		}
		if _, known := g.undone[e.Link]; active || !known {
			g.undone[e.Link] = edge
		}
		delete(g.links, e.Link)
		remove(g.edges, a, e.Link)
		remove(g.edges, b, e.Link)
	}
}

func put[V any](m map[string]map[string]V, k, id string, v V) {
	if m[k] == nil {
		m[k] = map[string]V{}
	}
	m[k][id] = v
}

func remove[V any](m map[string]map[string]V, k, id string) {
	if delete(m[k], id); len(m[k]) == 0 {
		delete(m, k)
	}
}

// Members are the customers of a customer's person, himself among them, oldest
// first: ids are ULIDs, so that is their order as strings. Erased ones stay members.
func (g *Graph) Members(customer string) []string { return g.MembersWithout(customer) }

// MembersWithout are the Members there would be without some links.
func (g *Graph) MembersWithout(customer string, links ...string) []string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	members := []string{customer}
	seen := map[string]bool{customer: true}
	for i := 0; i < len(members); i++ {
		for id, e := range g.edges[members[i]] {
			if slices.Contains(links, id) {
				continue
			}
			for _, c := range []string{e.A, e.B} {
				if !seen[c] {
					seen[c] = true
					members = append(members, c)
				}
			}
		}
	}
	slices.Sort(members)
	return members
}

// Canonical is the id a person is shown under: the oldest member that is not
// erased, or the customer himself when all are.
func (g *Graph) Canonical(customer string) string {
	members := g.Members(customer)
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.erased[customer] {
		return customer
	}
	for _, m := range members {
		if !g.erased[m] {
			return m
		}
	}
	return customer
}

// Erased says whether a customer was erased.
func (g *Graph) Erased(customer string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.erased[customer]
}

// Tied is when something was last suggested, linked or parted between a
// customer and others; zero for never.
func (g *Graph) Tied(customer string) time.Time {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.tied[customer]
}

// Peers are the customers somebody ever had a link or a suggestion with,
// sorted: with whom he has a link stream, whatever it says today.
func (g *Graph) Peers(customer string) []string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]string, 0, len(g.pairs[customer]))
	for c := range g.pairs[customer] {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// Link finds a link by its id, active or taken back.
func (g *Graph) Link(id string) (e Edge, active, ok bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if e, active = g.links[id]; active {
		return e, true, true
	}
	e, ok = g.undone[id]
	return e, false, ok
}

// Edges are the active links of a customer, sorted by id.
func (g *Graph) Edges(customer string) []Edge {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return values(g.edges[customer], func(e Edge) string { return e.Link })
}

// Between are the active links among some customers, sorted by id.
func (g *Graph) Between(members []string) []Edge {
	var out []Edge
	for _, m := range members {
		for _, e := range g.Edges(m) {
			if e.A == m && slices.Contains(members, e.B) {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b Edge) int { return strings.Compare(a.Link, b.Link) })
	return out
}

func values[V any](m map[string]V, id func(V) string) []V {
	out := make([]V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b V) int { return strings.Compare(id(a), id(b)) })
	return out
}

// PairID names the link stream of two customers, without its kind.
func PairID(a, b string) string { return min(a, b) + "." + max(a, b) }
