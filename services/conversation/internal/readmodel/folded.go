package readmodel

import (
	"cmp"
	"slices"
)

// Customer is the folded customer, nil when there is none.
func (w *Work) Customer(id string) *Customer {
	if sl := w.customers.slots[id]; sl != nil && sl.exists {
		return &sl.val
	}
	return nil
}

// Handle is the folded handle, nil when there is none.
func (w *Work) Handle(id string) *Handle {
	if sl := w.handles.slots[id]; sl != nil && sl.exists {
		sl.val.ID = id
		return &sl.val
	}
	return nil
}

// Entry is the folded entry, nil when there is none.
func (w *Work) Entry(id string) *Entry {
	if sl := w.entries.slots[id]; sl != nil && sl.exists {
		return &sl.val
	}
	return nil
}

// Units is every folded unit, in no order.
func (w *Work) Units() []*Unit { return existing(&w.units) }

// Timeline is every folded entry in order, of all customers.
func (w *Work) Timeline() []*Entry {
	out := existing(&w.entries)
	slices.SortFunc(out, func(a, b *Entry) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Conversations is every folded row, in no order.
func (w *Work) Conversations() []*Conversation { return existing(&w.conversations) }

func existing[T any](t *table[T]) []*T {
	var out []*T
	for _, sl := range t.slots {
		if sl.exists {
			out = append(out, &sl.val)
		}
	}
	return out
}

// RowAt is a row as it is after the commit at seq; nil when there is none, or
// when later commits are in it already.
func (w *Work) RowAt(id string, seq uint64) *Conversation {
	if sl := w.conversations.slots[id]; sl != nil && sl.exists && sl.seq <= seq {
		return &sl.val
	}
	return nil
}

// CustomerAt is a customer as he is after the commit at seq, like RowAt.
func (w *Work) CustomerAt(id string, seq uint64) *Customer {
	if sl := w.customers.slots[id]; sl != nil && sl.exists && sl.seq <= seq {
		return &sl.val
	}
	return nil
}

// ChangesOf is what was done by a handle to what a reference means, nil for nothing.
func (w *Work) ChangesOf(id string) *Changes {
	if sl := w.changes.slots[id]; sl != nil && sl.exists {
		return &sl.val
	}
	return nil
}

// Refs are the folded references with a hash.
func (w *Work) Refs(hash string) []*Ref {
	var out []*Ref
	for _, r := range existing(&w.refs) {
		if r.Ref == hash {
			out = append(out, r)
		}
	}
	return out
}
