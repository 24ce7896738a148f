package rpc

import (
	"context"
	"unicode/utf8"

	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/audit"
)

// reason checks why somebody says he does it. The audit log alone keeps it.
func reason(text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > command.LimitReason {
		return field("reason", "must have at most 500 characters")
	}
	return nil
}

// saying puts a reason into an entry about customers. It is free text and may
// speak of any member of their persons, so it is sealed under the keys of all
// who are not erased: the erasure of one takes it along.
func (s Identity) saying(ctx context.Context, e audit.Entry, text string, customers ...string) audit.Entry {
	if text == "" {
		return e
	}
	e.Why = text
	seen := map[string]bool{}
	add := func(id string) {
		if id != "" && !seen[id] {
			seen[id] = true
			e.WhyKeys = append(e.WhyKeys, event.CustomerKey(id))
		}
	}
	for _, c := range customers {
		p, err := s.person(ctx, c)
		if err != nil { // not in the read models yet: one of his own
			add(c)
			continue
		}
		for _, m := range p.GetMembers() {
			if !m.GetErased() && !m.GetCustomer().GetErased() {
				add(m.GetCustomer().GetId())
			}
		}
	}
	return e
}

// one of several customers, for an entry that has room for one.
func one(customers []string) string {
	if len(customers) == 0 {
		return ""
	}
	return audit.ID(customers[0])
}

// ids for an entry: names and values in turn. What is no id is left out.
func ids(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := audit.ID(pairs[i+1]); v != "" {
			out[pairs[i]] = v
		}
	}
	return out
}
