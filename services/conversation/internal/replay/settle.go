package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"golang.org/x/sync/errgroup"
)

// lookups is how many streams are looked at at once.
const lookups = 32

// settle drops what leads nowhere and puts the rest in order.
func (r *run) settle(ctx context.Context) {
	p := &r.plan
	said := map[*talk]bool{}
	for _, it := range p.items {
		if it.kind == kindMessage || it.kind == kindReply {
			said[it.talk] = true
		}
	}
	p.items = slices.DeleteFunc(p.items, func(it item) bool {
		if it.kind != kindNote || said[it.talk] {
			return false
		}
		r.bad(it.line, "", errors.New("conversation: has no message"))
		r.report.Notes--
		return true
	})
	for _, t := range p.byOrder {
		if t.of == nil {
			if t.of = p.people[t.rec.Customer]; t.of == nil {
				r.bad(t.line, t.rec.Origin.Origin, fmt.Errorf("customer: %.80q is not in the file, or was refused", t.rec.Customer))
				continue
			}
		}
		if !said[t] {
			r.bad(t.line, t.rec.Origin.Origin, errors.New("conversation has no message that could be imported"))
			t.of = nil
			continue
		}
		r.report.Conversations++
		r.mention(ctx, t.rec.Assignee)
	}
	p.byOrder = slices.DeleteFunc(p.byOrder, func(t *talk) bool { return t.of == nil })
	slices.SortFunc(p.items, func(a, b item) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.line, b.line))
	})
	for _, it := range p.items {
		if it.who.first.IsZero() || it.at.Before(it.who.first) {
			it.who.first = it.at
		}
	}
	slices.SortStableFunc(r.report.Bad, func(a, b BadLine) int { return cmp.Compare(a.Line, b.Line) })
}

// mention counts agents nobody here is.
func (r *run) mention(ctx context.Context, ref string) {
	if _, known := r.agent(ctx, ref); known || ref == "" {
		return
	}
	if r.report.UnknownAgents == nil {
		r.report.UnknownAgents = map[string]int{}
	}
	r.report.UnknownAgents[ref]++
}

// find says whose history goes where. Nothing is written.
//
//	he was imported before        ─► the customer made then, wherever his addresses are now
//	somebody owns an address      ─► the owner of the first that is owned
//	nobody does                   ─► a new customer, whose id comes from the source's
func (r *run) find(ctx context.Context) error {
	p := &r.plan
	var g errgroup.Group
	g.SetLimit(lookups)
	for _, e := range p.ends {
		g.Go(func() (err error) {
			e.own, err = r.Claims.Find(ctx, r.cfg.Tenant, e.addr)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	g = errgroup.Group{}
	g.SetLimit(lookups)
	var joined sync.Mutex
	for _, who := range p.order {
		g.Go(func() error {
			exists, erased, err := r.derived(ctx, who)
			if err != nil || erased {
				return err // target stays empty: nothing of him is brought back
			}
			who.target, who.fresh = who.derived, !exists
			for _, e := range who.ends {
				if c := e.own.CutOff; c.After(who.cutOff) {
					who.cutOff = c
				}
				if who.fresh && e.own.Owned() {
					who.target, who.fresh = e.own.Customer, false
				}
			}
			if who.target != who.derived {
				joined.Lock()
				defer joined.Unlock()
				r.report.Joined++
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	p.items = slices.DeleteFunc(p.items, func(it item) bool {
		gone := it.who.target == "" || it.talk != nil && it.talk.of.target == "" || !it.at.After(it.who.cutOff)
		if it.end != nil && !it.at.After(it.end.own.CutOff) {
			gone = true
		}
		if gone {
			r.report.Erased++
			return true
		}
		it.who.items++
		return false
	})
	return nil
}

// derived says whether the customer of a person's derived id is there, or was.
func (r *run) derived(ctx context.Context, who *person) (exists, erased bool, err error) {
	unowned := slices.ContainsFunc(who.ends, func(e *end) bool { return !e.own.Owned() })
	for c, err := range r.Events.Load(ctx, r.cfg.Tenant, "customer."+who.derived, 0) {
		if err != nil {
			return false, false, fmt.Errorf("look for a customer: %w", err)
		}
		exists = true
		for _, rec := range c.Records {
			erased = erased || rec.Type == "customer.erased"
		}
		if !unowned && len(who.ends) > 0 {
			break // somebody has his addresses, so he was not erased; the writer looks again
		}
	}
	return exists, erased, nil
}

// owners is how many handles are claimed at once.
const owners = 64

// claim gives addresses nobody owns to those the file names them for.
func (r *run) claim(ctx context.Context) error {
	p := &r.plan
	used := map[*end]bool{}
	for _, it := range p.items {
		if it.end != nil {
			used[it.end] = true
		}
	}
	var todo []*end
	for _, e := range p.ends {
		if who := e.of; !e.own.Owned() && who.target != "" && (used[e] || who.items > 0 || who.cutOff.IsZero()) {
			todo = append(todo, e)
		}
	}
	var g errgroup.Group
	g.SetLimit(owners)
	var mu sync.Mutex
	done := int64(0)
	for _, e := range todo {
		g.Go(func() (err error) {
			e.own, err = r.Claims.Claim(ctx, claimOf(r, e))
			if err != nil {
				return fmt.Errorf("claim an address: %w", err)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			r.report.Commits++
			r.tell.tell(Progress{Phase: "own", Done: done, Of: int64(len(todo)), Unit: "addresses"})
			return nil
		})
	}
	return g.Wait()
}

// evidence of what is imported. References only.
func (r *run) evidence(who *person) event.Evidence {
	return event.Evidence{Kind: "import", ID: who.derived}
}
