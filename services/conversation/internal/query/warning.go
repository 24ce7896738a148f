package query

import (
	"fmt"
	"slices"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// warnings are what somebody should know before he merges, the gravest first.
func (m *merging) warnings(limits Limits) []*identityv1.Warning {
	var out []*identityv1.Warning
	warn := func(code, format string, args ...any) {
		out = append(out, &identityv1.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	if len(m.both.person.Holds) > 0 {
		warn("hold", "A legal hold is on one of them. It stays with the customer it was placed on.")
	}
	if limits != nil {
		switch limit := limits(len(m.both.person.Members), m.endpoints()); limit {
		case "":
		case "logins":
			warn("two_logins", "Both sides have logged in, as two different people. Rules would never link them.")
		default:
			warn("over_limit", "The person would have more %s than the rules allow one to have.", limit)
		}
	}
	for _, s := range []*side{m.a, m.b} {
		for _, q := range []struct{ word, text string }{
			{"shared", "is used by several people"}, {"role", "is an office's, not a person's"}, {"blocked", "is blocked"},
		} {
			for _, v := range s.person.Members {
				for _, h := range s.proofs[v.GetCustomer().GetId()] {
					if h.qualifier == q.word {
						warn(q.word+"_handle", "An address of %s %s.", nameOr(s.person.Name), q.text)
					}
				}
			}
		}
	}
	for _, v := range m.both.pairs {
		if m.across(v) {
			m.history(v, warn)
		}
	}
	if m.a.erased() || m.b.erased() {
		warn("erased", "A customer of one side was erased. He stays out of everything that is shown.")
	}
	for _, s := range []*side{m.a, m.b} {
		if s.lowest() < 2 {
			warn("low_assurance", "Nothing proves that all of %s was written by one person.", nameOr(s.person.Name))
		}
	}
	for _, s := range []*side{m.a, m.b} {
		if slices.ContainsFunc(s.customers, func(c *readmodel.Customer) bool {
			return slices.ContainsFunc(s.proofs[c.ID], func(h *proof) bool { return h.through != "" })
		}) {
			warn("claimed_through", "An address of %s was proven through another one. If that was wrong, move the address instead.", nameOr(s.person.Name))
		}
	}
	return out
}

// history warns of what was decided of a pair before.
func (m *merging) history(v *readmodel.Pair, warn func(code, format string, args ...any)) {
	if slices.ContainsFunc(v.Suggestions, func(s readmodel.Suggestion) bool { return s.State == readmodel.SuggestionRefused }) {
		warn("refused_before", "Somebody looked at these two before and said that they are not one person.")
	}
	if slices.ContainsFunc(v.Links, func(l readmodel.Link) bool { return !l.Active() }) {
		warn("unmerged_before", "These two were one person before and were parted.")
	}
}

func (s *side) erased() bool {
	return slices.ContainsFunc(s.person.Members, func(v *identityv1.Member) bool { return v.GetErased() })
}

func nameOr(name string) string {
	if name == "" {
		return "one side"
	}
	return name
}

func (m *merging) endpoints() []Endpoint {
	var out []Endpoint
	for customer, proofs := range m.both.proofs {
		for _, h := range proofs {
			out = append(out, Endpoint{Kind: h.Kind, Scope: h.Scope, Customer: customer, Level: h.Highest()})
		}
	}
	return out
}
