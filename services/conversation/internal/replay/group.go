package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/claim"
)

func claimOf(r *run, e *end) claim.Request {
	return claim.Request{
		Tenant: r.cfg.Tenant, Address: channel.Address{Kind: e.addr.Kind, Scope: e.addr.Scope, Address: e.addr.Address, Name: e.of.rec.Name},
		Customer: e.of.target, Assurance: e.level, Evidence: r.evidence(e.of), Actor: actorImport, Fresh: true, At: began(e.of),
	}
}

// actorImport does what no agent here did.
const actorImport = "import"

// group puts every item into the stream it belongs to, in time order. A message
// is its address's owner's; a conversation's notes and standing are where it is
// at home: with its customer, or, when he owns none of its addresses, with the
// owner of the first.
func (r *run) group() map[string][]item {
	p := &r.plan
	for _, it := range p.items {
		if it.end == nil {
			continue
		}
		if owner := it.end.own.Customer; it.talk.home == "" || owner == it.talk.of.target {
			it.talk.home = owner
		}
	}
	for _, it := range p.items {
		if it.end == nil || it.end.own.Customer != it.talk.home {
			continue
		}
		if it.talk.from.IsZero() {
			it.talk.from = it.at
		}
		it.talk.last = it.at
	}
	groups := map[string][]item{}
	begins := map[string]time.Time{} // when a stream's items begin
	put := func(stream string, it item) {
		groups[stream] = append(groups[stream], it)
		if b := begins[stream]; b.IsZero() || it.at.Before(b) {
			begins[stream] = it.at
		}
	}
	for _, it := range p.items {
		switch {
		case it.end != nil:
			put(it.end.own.Customer, it)
		case it.kind == kindNote:
			if it.at.Before(it.talk.from) {
				it.at = it.talk.from
			}
			if it.at.After(it.talk.last) {
				it.talk.last = it.at
			}
			if it.talk.home != "" {
				put(it.talk.home, it)
			}
		default:
			put(it.who.target, it)
		}
	}
	for _, t := range p.byOrder {
		if t.home == "" {
			continue // all of it was cut off
		}
		at := t.last
		if u := micro(t.rec.UpdatedAt); u.After(at) {
			at = u
		}
		put(t.home, item{kind: kindStanding, at: at, talk: t, who: t.of, place: place{line: t.line}})
	}
	for _, who := range p.order {
		if who.target == "" || who.items == 0 && !who.cutOff.IsZero() {
			continue
		}
		at := micro(began(who))
		if b := begins[who.target]; !b.IsZero() && !b.After(at) {
			at = b.Add(-time.Microsecond) // the customer is there before he says something
		}
		put(who.target, item{kind: kindBring, at: at, who: who, place: place{line: who.line}})
	}
	for _, items := range groups {
		slices.SortStableFunc(items, func(a, b item) int {
			if (a.kind == kindBring) != (b.kind == kindBring) && a.at.Equal(b.at) {
				return cmp.Compare(a.kind, b.kind)
			}
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.line, b.line))
		})
	}
	return groups
}
