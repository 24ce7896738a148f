package readmodel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Keys is what folding needs of the keyring: bodies are opened once, for the
// search text, the preview, the name and the hash of a subject.
type Keys interface {
	Hash(purpose string, parts ...string) string
	Open(ctx context.Context, s crypt.Sealed, aad []byte) ([]byte, error)
	Seal(ctx context.Context, key string, plain, aad []byte) (crypt.Sealed, error)
}

// Work folds commits of one partition in memory. Not safe for concurrent use.
type Work struct {
	keys          Keys
	entries       table[Entry]
	conversations table[Conversation]
	customers     table[Customer]
	handles       table[Handle]
	units         table[Unit]
	repeats       table[Repeat]
	refs          table[Ref]
	changes       table[Changes]
	search        table[Search]
	counts        table[Counts]
	pairs         table[Pair]
	joins         table[Join]
	tombstones    table[Tombstone]
	countsID      string
	tied          []string // messages that were changed
	targets       []string // references whose messages were changed
	splits        bool     // a commit moves messages between conversations
	wipes         []wiped
}

// NewWork begins a batch of a partition. Without Load every document begins
// from nothing, which is right when a stream is folded from its first commit.
func NewWork(n Names, keys Keys, partition int) *Work {
	w := &Work{
		keys:          keys,
		entries:       newTable[Entry](n.Timeline),
		conversations: newTable[Conversation](n.Conversations),
		customers:     newTable[Customer](n.Customers),
		handles:       newTable[Handle](n.Handles),
		units:         newTable[Unit](n.Units),
		repeats:       newTable[Repeat](n.Repeats),
		refs:          newTable[Ref](n.Refs),
		changes:       newTable[Changes](n.Changes),
		search:        newTable[Search](n.Search),
		counts:        newTable[Counts](n.Counts),
		pairs:         newTable[Pair](n.Pairs),
		joins:         newTable[Join](n.Joins),
		tombstones:    newTable[Tombstone](n.Tombstones),
		countsID:      CountsID(partition),
	}
	w.counts.need(w.countsID, false)
	return w
}

// Need notes which documents the commit touches. Call it for all commits, in order, before Load.
func (w *Work) Need(c Commit) {
	for i, ev := range c.Events {
		p := c.Place(i)
		if p.Handle != "" {
			v, claimed := ev.(event.HandleClaimed)
			w.handles.need(p.Handle, claimed && v.Tenure == 1)
			continue
		}
		if p.Pair != "" || p.Join != "" {
			w.needTies(p, ev)
			continue
		}
		if p.Customer == "" {
			continue
		}
		_, fenced := ev.(event.CustomerErased)
		if _, erased := ev.(event.ErasureDone); erased || fenced {
			w.tombstones.need(p.Customer, true)
		}
		w.needWiped(p, ev)
		_, created := ev.(event.CustomerCreated)
		w.customers.need(p.Customer, created)
		if id := ConversationOf(ev); id != "" {
			_, opened := ev.(event.ConversationOpened)
			w.conversations.need(id, opened)
		}
		if e, ok := NewEntry(p, ev); ok {
			w.entries.need(e.ID, true)
			w.search.need(SearchID(&e), true)
		}
		if id, _, ok := Progress(p, ev); ok {
			w.entries.need(id, false)
		}
		if id := Retired(ev); id != "" {
			w.entries.need(id, false)
		}
		if v, ok := ev.(event.MessagesMoved); ok {
			w.splits = true
			w.conversations.need(v.To, false)
			for _, id := range v.Messages {
				w.entries.need(id, false)
			}
		}
		w.needChanged(p, ev)
		if u, ok := NewUnit(p, ev); ok {
			w.units.need(u.ID, true)
		}
		for _, r := range RefsOf(p, ev) {
			w.refs.need(r.ID(), true)
		}
	}
}

// Load fetches what is needed, the counters last (see Counts).
func (w *Work) Load(ctx context.Context, s docstore.Store) error {
	return errors.Join(
		w.loadChanged(ctx, s),
		w.entries.load(ctx, s, func(e *Entry, id string) { e.ID = id }),
		w.needRowsOf(&w.tied),
		w.conversations.load(ctx, s, func(c *Conversation, id string) { c.ID = id }),
		w.customers.load(ctx, s, func(c *Customer, id string) { c.ID = id }),
		w.handles.load(ctx, s, func(h *Handle, id string) { h.ID = id }),
		w.pairs.load(ctx, s, func(v *Pair, id string) { v.ID = id }),
		w.joins.load(ctx, s, func(v *Join, id string) { v.ID = id }),
		w.loadWiped(ctx, s),
		w.counts.load(ctx, s, func(*Counts, string) {}),
	)
}

// Fold applies one commit. Commits come in order.
func (w *Work) Fold(ctx context.Context, c Commit) error {
	before := map[string]counted{}
	for i, ev := range c.Events {
		p := c.Place(i)
		if p.Handle != "" {
			w.foldHandle(p, ev)
			continue
		}
		if p.Pair != "" || p.Join != "" {
			w.foldTies(p, ev)
			continue
		}
		if p.Customer == "" {
			continue
		}
		w.foldTombstone(p, ev)
		if err := w.foldCustomer(ctx, p, ev, before); err != nil {
			return fmt.Errorf("fold commit %d of partition %d: %w", c.Seq, c.Partition, err)
		}
	}
	w.count(c.Seq, before)
	return nil
}

func (w *Work) foldHandle(p Place, ev event.Event) {
	sl := w.handles.at(p.Handle, p.Seq)
	if sl == nil {
		return
	}
	_, claimed := ev.(event.HandleClaimed)
	_, released := ev.(event.HandleReleased)
	if !claimed && !released && !sl.exists {
		return
	}
	if sl.val.Apply(p, ev) {
		w.handles.wrote(p.Handle, sl, p.Seq)
	}
}

func (w *Work) foldCustomer(ctx context.Context, p Place, ev event.Event, before map[string]counted) error {
	switch v := ev.(type) {
	case event.ErasureDone:
		w.erase(p, v, before)
	case event.ConversationRetired:
		w.retire(p, v)
	}
	customer := w.customers.at(p.Customer, p.Seq)
	if customer != nil {
		if (begins(ev) || customer.exists) && customer.val.Apply(p, ev) {
			w.customers.wrote(p.Customer, customer, p.Seq)
		}
		if customer.exists {
			if err := w.meter(ctx, p, ev, customer); err != nil {
				return err
			}
		}
	}
	id := ConversationOf(ev)
	row := w.conversations.at(id, p.Seq)
	if row != nil {
		if _, ok := before[id]; !ok {
			before[id] = counted{}
			if row.exists {
				before[id] = countedOf(&row.val)
			}
		}
		was := row.exists && row.val.Status == StatusOpen
		if _, opened := ev.(event.ConversationOpened); (opened || row.exists) && row.val.Apply(p, ev) {
			w.conversations.wrote(id, row, p.Seq)
		}
		w.countOpen(p, customer, was, row.exists && row.val.Status == StatusOpen)
	}
	for _, r := range RefsOf(p, ev) {
		if sl := w.refs.at(r.ID(), p.Seq); sl != nil {
			sl.val = r
			w.refs.wrote(r.ID(), sl, p.Seq)
		}
	}
	if u, ok := NewUnit(p, ev); ok {
		if sl := w.units.at(u.ID, p.Seq); sl != nil {
			sl.val = u
			w.units.wrote(u.ID, sl, p.Seq)
		}
	}
	w.foldExisting(p, ev)
	if v, ok := ev.(event.MessagesMoved); ok {
		if err := w.split(ctx, p, v); err != nil {
			return err
		}
	}
	e, ok := NewEntry(p, ev)
	if !ok {
		return nil
	}
	if customer != nil && customer.exists {
		customer.val.said(&e)
		w.customers.wrote(p.Customer, customer, p.Seq)
	}
	if sl := w.entries.at(e.ID, p.Seq); sl != nil {
		sl.val = e
		w.entries.wrote(e.ID, sl, p.Seq)
	}
	if e.Kind == KindChange {
		return w.foldChange(ctx, p, &e)
	}
	if err := w.derive(ctx, p, &e, customer, row); err != nil {
		return err
	}
	return w.foldChanged(ctx, p, &e)
}

// begins says that an event can be a customer's first: he may be erased before
// his first message has got in.
func begins(ev event.Event) bool {
	switch ev.(type) {
	case event.CustomerCreated, event.CustomerErased:
		return true
	}
	return false
}

// countOpen keeps the customer's figure. His document is written before his
// rows (see Ops): where it lacks the commit, they do too, so the difference is right.
func (w *Work) countOpen(p Place, customer *slot[Customer], was, is bool) {
	if customer == nil || !customer.exists || was == is {
		return
	}
	if is {
		customer.val.Open++
	} else {
		customer.val.Open--
	}
	w.customers.wrote(p.Customer, customer, p.Seq)
}

// foldExisting applies what an event says of an earlier entry.
func (w *Work) foldExisting(p Place, ev event.Event) {
	if id, d, ok := Progress(p, ev); ok {
		if sl := w.entries.at(id, p.Seq); sl != nil && sl.exists {
			if v, ok := ev.(event.ReplyProgressed); ok && len(v.Refs) > 0 {
				sl.val.Refs = append(slices.Clip(sl.val.Refs), v.Refs...)
			}
			sl.val.Delivery = append(sl.val.Delivery[:len(sl.val.Delivery):len(sl.val.Delivery)], d)
			w.entries.wrote(id, sl, p.Seq)
		}
	}
	if id := Retired(ev); id != "" {
		if sl := w.entries.at(id, p.Seq); sl != nil && sl.exists {
			sl.val.Hidden, sl.val.Transcript = true, ""
			w.entries.wrote(id, sl, p.Seq)
		}
		// Search may lack what the entry has already: their writes are apart.
		if sl := w.entries.slots[id]; sl != nil && sl.exists {
			w.found(p, &sl.val, opened{})
		}
	}
}

func (w *Work) count(seq uint64, before map[string]counted) {
	sl := w.counts.at(w.countsID, seq)
	if sl == nil {
		return
	}
	for id, from := range before {
		row := w.conversations.slots[id]
		if !row.exists && !row.dirty {
			continue
		}
		to := counted{} // erased
		if row.exists {
			to = countedOf(&row.val)
		}
		if to != from {
			sl.val.move(from, to)
			w.counts.wrote(w.countsID, sl, seq)
		}
	}
}

// Ops are the writes, the counters first (see Counts), and what the repeat
// meter found before the customers it is kept with.
func (w *Work) Ops() ([]docstore.Op, error) {
	var ops []docstore.Op
	var err error
	for _, add := range []func([]docstore.Op) ([]docstore.Op, error){
		w.counts.ops, w.repeats.ops, w.handles.ops, w.customers.ops, w.conversations.ops, w.entries.ops, w.refs.ops, w.changes.ops, w.search.ops,
		w.pairs.ops, w.joins.ops, w.tombstones.ops,
		w.units.ops,
	} {
		if ops, err = add(ops); err != nil {
			return nil, err
		}
	}
	return ops, nil
}
