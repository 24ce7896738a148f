package query

import (
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// A change and its message are tied when they are read: either may come first,
// and after a move they stand on two streams. It counts where it was done over
// the message's own handle and both belong to the same customer.

// some reads entries of anybody, without a person around them.
func (r *Reader) some(w world) *aPerson {
	return &aPerson{
		Reader: r, view: r.view.Page(), world: w, units: map[string]*readmodel.Unit{}, handles: view.Handles{}, customers: map[string]*readmodel.Customer{},
		targets: map[string]*readmodel.Entry{},
	}
}

// find finds the messages of the changes on a page.
func (p *aPerson) find(ctx context.Context, page []*readmodel.Entry) ([]*readmodel.Entry, error) {
	var out []*readmodel.Entry
	for _, e := range page {
		if !e.Counts() || p.targets[e.ID] != nil {
			continue
		}
		ids, err := p.world.meant(ctx, e.Ref)
		if err != nil {
			return nil, err
		}
		found, err := p.world.entriesByID(ctx, ids...)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if t := found[id]; t != nil && t.Changed(e) {
				p.targets[e.ID] = t
				out = append(out, t)
				break
			}
		}
	}
	return out, nil
}

// target is the message a change counts for, nil while there is none. Learn the change first.
func (p *aPerson) target(e *readmodel.Entry) *readmodel.Entry {
	if t := p.targets[e.ID]; t != nil && p.owner(t) == p.owner(e) {
		return t
	}
	return nil
}

// changesTo are the changes that count for the messages of a page that was
// learnt, by entry, in the order they were done.
func (p *aPerson) changesTo(ctx context.Context, page []*readmodel.Entry) (map[string][]*readmodel.Entry, error) {
	var ids []string
	for _, e := range page {
		ids = append(ids, p.changesIDs(e)...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	docs, err := p.world.changes(ctx, ids...)
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	var entries []string
	for _, d := range docs {
		if d != nil {
			entries = append(entries, d.Changes...)
		}
	}
	if len(entries) == 0 {
		return nil, nil
	}
	found, err := p.world.entriesByID(ctx, entries...)
	if err != nil {
		return nil, err
	}
	var all []*readmodel.Entry
	for _, c := range found {
		if c != nil {
			all = append(all, c)
		}
	}
	if err := p.learn(ctx, all); err != nil {
		return nil, err
	}
	out := map[string][]*readmodel.Entry{}
	for _, e := range page {
		for _, id := range p.changesIDs(e) {
			if docs[id] == nil {
				continue
			}
			for _, change := range docs[id].Changes {
				if c := found[change]; c != nil && e.Changed(c) && p.owner(c) == p.owner(e) {
					out[e.ID] = append(out[e.ID], c)
				}
			}
		}
		slices.SortFunc(out[e.ID], readmodel.ByTime)
	}
	return out, nil
}

// changesIDs names what may have been done to an entry, in the streams of all
// who have or had its handle.
func (p *aPerson) changesIDs(e *readmodel.Entry) []string {
	var out []string
	for _, ref := range e.Refs {
		customers := []string{e.Customer}
		if h := p.handles[e.Handle]; h.MovedAfter(0) {
			for _, period := range h.Periods {
				if period.Customer != "" && !slices.Contains(customers, period.Customer) {
					customers = append(customers, period.Customer)
				}
			}
		}
		for _, c := range customers {
			out = append(out, readmodel.ChangesID(c, ref, e.Handle))
		}
	}
	return out
}
