package person

import "slices"

// Cut are the fewest of some links that must all go so that two customers are
// not connected by the rest, those nearer to a; none when they are not connected.
// A person is small: it walks every path once per link of the cut.
func Cut(edges []Edge, a, b string) []Edge {
	if a == b {
		return nil
	}
	flow := map[string]string{} // link → the end it is used towards
	for {
		from, reached := search(edges, flow, a)
		if !reached[b] {
			var out []Edge
			for _, e := range edges {
				if reached[e.A] != reached[e.B] {
					out = append(out, e)
				}
			}
			return out
		}
		for at := b; at != a; {
			e := from[at]
			if flow[e.Link] == e.other(at) {
				delete(flow, e.Link) // taken back the other way
			} else {
				flow[e.Link] = at
			}
			at = e.other(at)
		}
	}
}

// search goes from a over links that are free or used towards where it stands.
func search(edges []Edge, flow map[string]string, a string) (from map[string]Edge, reached map[string]bool) {
	from, reached = map[string]Edge{}, map[string]bool{a: true}
	for next := []string{a}; len(next) > 0; next = next[1:] {
		at := next[0]
		for _, e := range edges {
			if !slices.Contains([]string{e.A, e.B}, at) {
				continue
			}
			to := e.other(at)
			if used, ok := flow[e.Link]; reached[to] || ok && used == to {
				continue
			}
			reached[to], from[to] = true, e
			next = append(next, to)
		}
	}
	return from, reached
}

// other is the other end of a link.
func (e Edge) other(end string) string {
	if end == e.A {
		return e.B
	}
	return e.A
}
