package readmodel

import (
	"context"
	"errors"

	"github.com/weftline/weftline/services/internal/docstore"
)

// keepDocuments bounds what a partition keeps of each kind between batches.
const keepDocuments = 4_096

// Reuse makes w the beginning of the next batch of its partition, after this
// one was written: rows, customers and handles need not be loaded again, since
// only commits of this partition change them. Call it after a success only; a
// Work whose batch failed holds what is not stored.
//
// The counters are loaded every time: they may not be older than what another
// process has counted (see Counts).
func (w *Work) Reuse() {
	keep(&w.conversations, func(c *Conversation, id string) { c.ID = id })
	keep(&w.customers, func(c *Customer, id string) { c.ID = id })
	keep(&w.handles, func(h *Handle, id string) { h.ID = id })
	keep(&w.pairs, func(v *Pair, id string) { v.ID = id })
	keep(&w.joins, func(v *Join, id string) { v.ID = id })
	w.tombstones.reset()
	w.entries.reset()
	w.units.reset()
	w.repeats.reset()
	w.refs.reset()
	w.changes.reset()
	w.search.reset()
	w.counts.reset()
	w.counts.need(w.countsID, false)
	w.splits = false
}

// Lacks says that rows or customers are needed which are not here: LoadRows fetches them.
func (w *Work) Lacks() bool { return len(w.conversations.want)+len(w.customers.want) > 0 }

// LoadRows fetches rows and customers only: for who folds to look at these, and
// writes nothing.
func (w *Work) LoadRows(ctx context.Context, s docstore.Store) error {
	var moved error
	if w.splits { // rows that messages moved between are made of the messages
		moved = w.entries.load(ctx, s, func(e *Entry, id string) { e.ID = id })
	}
	return errors.Join(
		moved,
		w.conversations.load(ctx, s, func(c *Conversation, id string) { c.ID = id }),
		w.customers.load(ctx, s, func(c *Customer, id string) { c.ID = id }),
	)
}

// keep leaves the documents that are there. It looks at those only that the
// batch has touched.
func keep[T any](t *table[T], setID func(*T, string)) {
	if len(t.slots) > keepDocuments {
		t.reset()
		return
	}
	for _, id := range t.asked {
		if sl := t.slots[id]; sl != nil && !sl.exists {
			delete(t.slots, id)
		}
	}
	for _, id := range t.order {
		sl := t.slots[id]
		if sl == nil {
			continue
		}
		if !sl.exists {
			delete(t.slots, id)
			continue
		}
		setID(&sl.val, id)
		sl.dirty = false
	}
	t.asked, t.want, t.order = t.asked[:0], t.want[:0], t.order[:0]
}

// reset forgets everything.
func (t *table[T]) reset() {
	clear(t.slots)
	t.asked, t.want, t.order = t.asked[:0], t.want[:0], t.order[:0]
}
