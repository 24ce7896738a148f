package resolve

import (
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/query"
)

// limitLogins is the name of the limit that no rule and no repetition passes.
const limitLogins = "logins"

// broken names the limit that one person with these members and handles breaks, "" for none.
func (l Limits) broken(members int, handles []Handle) string {
	if l.logins(handles) {
		return limitLogins
	}
	if members > l.Members {
		return "members"
	}
	if len(handles) > l.Handles {
		return "handles"
	}
	counts := map[[2]string]int{}
	for _, h := range handles {
		limit, ok := l.Kinds[h.Kind]
		if !ok {
			limit, ok = l.Kinds["default"]
		}
		key := [2]string{h.Kind}
		if limit.Per == "scope" {
			key[1] = h.Scope
		}
		if counts[key]++; ok && counts[key] > limit.Max {
			return h.Kind
		}
	}
	return ""
}

// Breaks names the limit that a person with these handles would break, "" for none.
func (r *Rules) Breaks(members int, handles []query.Endpoint) string {
	own := make([]Handle, len(handles))
	for i, h := range handles {
		own[i] = Handle{Kind: h.Kind, Scope: h.Scope, Customer: h.Customer, Level: h.Level}
	}
	return r.Limits.broken(members, own)
}

// logins says whether two different logins of one issuer are among handles.
func (l Limits) logins(handles []Handle) bool {
	seen := map[[2]string]bool{}
	for _, h := range handles {
		if max(h.Level, h.Highest) < 4 || !slices.Contains(l.Logins, h.Kind) {
			continue
		}
		key := [2]string{h.Kind, h.Scope}
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

// cut is a link that must go, and the limit that it broke.
type cut struct {
	person.Edge
	limit string
}

// walk follows links in the order they were made, and finds the automatic ones
// that broke a limit. What agents made stays, whatever it breaks. onlyLogins
// leaves the other limits alone.
func (l Limits) walk(edges []person.Edge, handles []Handle, onlyLogins bool) []cut {
	owns := map[string][]Handle{}
	for _, h := range handles {
		owns[h.Customer] = append(owns[h.Customer], h)
	}
	edges = slices.SortedFunc(slices.Values(edges), person.Edge.Before)
	group := map[string][]string{} // by customer: everybody he is one with so far
	of := func(c string) []string {
		if group[c] == nil {
			group[c] = []string{c}
		}
		return group[c]
	}
	var out []cut
	for _, e := range edges {
		a, b := of(e.A), of(e.B)
		if slices.Contains(a, e.B) {
			continue // they are one already: it breaks nothing
		}
		both := append(slices.Clone(a), b...)
		var theirs []Handle
		for _, c := range both {
			theirs = append(theirs, owns[c]...)
		}
		limit := ""
		if l.logins(theirs) {
			limit = limitLogins
		} else if !onlyLogins {
			limit = l.broken(len(both), theirs)
		}
		if limit != "" && e.Automatic() {
			out = append(out, cut{e, limit})
			continue
		}
		for _, c := range both {
			group[c] = both
		}
	}
	return out
}
