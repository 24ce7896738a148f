package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"golang.org/x/sync/errgroup"
)

// Settler does what is left to do about a handle; *settle.Settler is meant.
type Settler interface {
	// Handle returns it without an owner when he was erased: it is released then.
	Handle(ctx context.Context, tenant string, own claim.Owned) (claim.Owned, error)
	Load(ctx context.Context, tenant, id string) (claim.Owned, error)
}

// settled does what is left to do about addresses that had owners before: until
// it is done, nothing of theirs is let in. Whose owner is found to be erased has
// no owner any more, and nothing of it is brought back.
func (r *run) settled(ctx context.Context) error {
	p := &r.plan
	var g errgroup.Group
	g.SetLimit(owners)
	var mu sync.Mutex
	lost := false
	for _, e := range p.ends {
		if !e.own.Owned() || e.own.Alone() {
			continue
		}
		g.Go(func() error {
			own, err := r.Settle.Handle(ctx, r.cfg.Tenant, e.own)
			if err != nil {
				return fmt.Errorf("settle an address: %w", err)
			}
			mu.Lock()
			defer mu.Unlock()
			e.own = own
			lost = lost || !own.Owned()
			return nil
		})
	}
	if err := g.Wait(); err != nil || !lost {
		return err
	}
	p.items = slices.DeleteFunc(p.items, func(it item) bool {
		if it.end == nil || it.end.own.Owned() {
			return false
		}
		r.report.Erased++
		it.who.items--
		return true
	})
	return nil
}

// handover is what leaves a stream while it is written: items of addresses that
// were moved meanwhile. They go to whom the address belongs now, as a live
// message would.
type handover struct {
	whose string
	ends  map[*end]*end   // as they are now
	talks map[*talk]*talk // of which nothing is left here: at home with the new owner
	items map[string][]item
	gone  int // of an address whose owner was erased
}

// hops bounds how often what is handed over is handed on.
const hops = 16

// takes says whether an item is no longer for this stream, and takes it.
func (h *handover) takes(it item) bool {
	if t := h.talks[it.talk]; t != nil && it.talk != nil {
		it.talk = t
	}
	to := ""
	if e := h.ends[it.end]; e != nil && it.end != nil {
		it.end, to = e, e.own.Customer
		if to == "" {
			h.gone++
			return true
		}
	} else if it.end == nil && it.talk != nil && it.talk.home != h.whose { // a note, or how it stands
		to = it.talk.home
	}
	if to == "" {
		return false
	}
	h.items[to] = append(h.items[to], it)
	return true
}

// follow looks where an address is now that was not let in. rest are the items
// that are not written yet.
func (r *run) follow(ctx context.Context, h *handover, s *stream, stale *customer.StaleTenureError, rest []item) error {
	found := false
	for _, it := range rest {
		e := it.end
		if e == nil || h.ends[e] != nil || e.id != stale.Handle || e.own.Tenure != stale.Tenure {
			continue
		}
		own, err := r.Settle.Load(ctx, r.cfg.Tenant, e.id)
		if err != nil {
			return fmt.Errorf("line %d: look who owns an address now: %w", it.line, err)
		}
		now := *e
		now.own, found = own, true
		h.ends[e] = &now
	}
	if !found {
		return stale
	}
	stays := map[*talk]bool{}
	for _, it := range rest {
		if it.end != nil && h.ends[it.end] == nil {
			stays[it.talk] = true
		}
	}
	for _, it := range rest {
		e := h.ends[it.end]
		if it.end == nil || e == nil || stays[it.talk] || h.talks[it.talk] != nil || it.talk.home != h.whose || e.own.Customer == "" {
			continue
		}
		if _, here := s.state.Conversation(it.talk.id); !here {
			t := *it.talk
			t.home = e.own.Customer
			h.talks[it.talk] = &t
		}
	}
	return nil
}

// staleIn is the error of an address that was moved, if that is what it is.
func staleIn(err error) (*customer.StaleTenureError, bool) {
	return errors.AsType[*customer.StaleTenureError](err)
}
