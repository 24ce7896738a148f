package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Erasure and retention take documents away as part of the fold of an event,
// so that a rebuild comes to the same documents whether or not the log was
// purged since.

// wiped asks for the documents of a customer, or of one conversation, to be loaded.
type wiped struct{ customer, conversation string }

// needWiped notes whose documents the event takes away.
func (w *Work) needWiped(p Place, ev event.Event) {
	switch v := ev.(type) {
	case event.ErasureDone:
		w.wipes = append(w.wipes, wiped{customer: p.Customer})
	case event.ConversationRetired:
		w.wipes = append(w.wipes, wiped{customer: p.Customer, conversation: v.Conversation})
		for _, u := range v.Units { // those of changes are named for them
			if f := strings.Split(u, "/"); len(f) == 4 {
				w.entries.need(f[1], false)
			}
		}
	}
}

// loadWiped fetches the documents that will be taken away.
func (w *Work) loadWiped(ctx context.Context, s docstore.Store) error {
	for _, x := range w.wipes {
		index, prefix := ByCustomer, x.customer
		if x.conversation != "" {
			index, prefix = ByConversation, x.conversation
		}
		err := loadAll(ctx, s, &w.entries, docstore.Query{Index: index, Prefix: []any{prefix}}, func(e *Entry, id string) {
			e.ID = id
			w.search.need(SearchID(e), false)
		})
		if err != nil {
			return err
		}
		if x.conversation == "" {
			if err = loadAll(ctx, s, &w.changes, docstore.Query{Index: ByCustomer, Prefix: []any{prefix}}, func(*Changes, string) {}); err != nil {
				return err
			}
			for _, kind := range []string{repeat.Conversation, repeat.NewConversation, repeat.NewChannel, repeat.NewAgent} {
				err = loadAll(ctx, s, &w.repeats, docstore.Query{Index: ByCustomer, Prefix: []any{prefix, kind}}, func(*Repeat, string) {})
				if err != nil {
					return err
				}
			}
			err = loadAll(ctx, s, &w.conversations, docstore.Query{Index: ByCustomer, Prefix: []any{prefix}}, func(c *Conversation, id string) { c.ID = id })
			if err != nil {
				return err
			}
		}
		for id, sl := range w.conversations.slots {
			if id != x.conversation && (x.conversation != "" || sl.val.Customer != x.customer) {
				continue
			}
			if err := loadAll(ctx, s, &w.refs, docstore.Query{Index: ByConversation, Prefix: []any{id}}, func(*Ref, string) {}); err != nil {
				return err
			}
		}
	}
	w.wipes = nil
	return w.search.load(ctx, s, func(*Search, string) {})
}

// loadAll pages through an index into a table; what is there already stays.
func loadAll[T any](ctx context.Context, s docstore.Store, t *table[T], q docstore.Query, each func(*T, string)) error {
	q.Limit = 1000
	for {
		page, err := s.List(ctx, t.collection, q)
		if err != nil {
			return fmt.Errorf("load %s: %w", t.collection, err)
		}
		for _, it := range page {
			sl := t.slots[it.ID]
			if sl != nil && (sl.exists || sl.dirty) {
				each(&sl.val, it.ID)
				continue
			}
			sl = &slot[T]{seq: it.Seq, exists: true}
			if err := json.Unmarshal(it.JSON, &sl.val); err != nil {
				return fmt.Errorf("read document of %s: %w", t.collection, err)
			}
			each(&sl.val, it.ID)
			t.slots[it.ID] = sl
			q.After = it.Token
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = page[len(page)-1].Token
	}
}

// erase leaves a stub of the customer, and of his documents those of the units kept.
func (w *Work) erase(p Place, v event.ErasureDone, before map[string]counted) {
	if sl := w.customers.at(p.Customer, p.Seq); sl != nil {
		sl.val = Customer{ID: p.Customer, Kind: KindErased, Last: p.Last(), LastAt: micro(p.At)}
		w.customers.wrote(p.Customer, sl, p.Seq)
	}
	kept := map[string]bool{}
	for _, u := range v.Kept {
		kept[u] = true
	}
	for id, sl := range w.conversations.slots {
		if sl.exists && sl.val.Customer == p.Customer && w.conversations.at(id, p.Seq) != nil {
			if _, ok := before[id]; !ok {
				before[id] = countedOf(&sl.val)
			}
			w.conversations.remove(id, sl, p.Seq)
		}
	}
	for id, sl := range w.changes.slots {
		if !sl.exists || sl.val.Customer != p.Customer || w.changes.at(id, p.Seq) == nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(sl.val.Changes), func(change string) bool {
			e := w.entries.slots[change]
			return e == nil || !e.exists || !kept[e.val.unit()]
		})
		if len(left) > 0 {
			sl.val.Changes = left
			w.changes.wrote(id, sl, p.Seq)
		} else {
			w.changes.remove(id, sl, p.Seq)
		}
	}
	for id, sl := range w.repeats.slots {
		if sl.exists && sl.val.Customer == p.Customer && w.repeats.at(id, p.Seq) != nil {
			w.repeats.remove(id, sl, p.Seq)
		}
	}
	w.dropEntries(p, true, func(e *Entry) bool {
		return e.Customer == p.Customer && !kept[e.unit()]
	})
}

// retire empties a conversation to a line that says it was.
func (w *Work) retire(p Place, v event.ConversationRetired) {
	gone := map[string]bool{"": true} // notes and activities
	for _, u := range v.Units {
		gone[u] = true
	}
	w.dropEntries(p, false, func(e *Entry) bool {
		return e.Customer == p.Customer && (e.Conversation == v.Conversation || e.Kind == KindChange) && gone[e.unit()]
	})
}

// dropEntries removes entries with what is found by them and what refers to
// them; all: their units too.
func (w *Work) dropEntries(p Place, all bool, drop func(*Entry) bool) {
	dropped := map[string]bool{}
	for id, sl := range w.entries.slots {
		if !sl.exists || sl.val.tie() || !drop(&sl.val) || w.entries.at(id, p.Seq) == nil {
			continue
		}
		dropped[id] = true
		if u := sl.val.unit(); u != "" {
			w.units.need(u, true)
			if unit := w.units.at(u, p.Seq); unit != nil && all {
				w.units.remove(u, unit, p.Seq)
			}
		}
		search := SearchID(&sl.val)
		w.search.need(search, true)
		if found := w.search.at(search, p.Seq); found != nil {
			w.search.remove(search, found, p.Seq)
		}
		w.entries.remove(id, sl, p.Seq)
	}
	for id, sl := range w.refs.slots {
		if sl.exists && sl.val.Customer == p.Customer && dropped[sl.val.Entry] && w.refs.at(id, p.Seq) != nil {
			w.refs.remove(id, sl, p.Seq)
		}
	}
}

// tie says that a link's or a join's stream wrote the entry: references only,
// they survive the erasure of either side.
func (e *Entry) tie() bool {
	switch e.Verb {
	case "suggested", "refused", "linked", "unlinked", "joined", "unjoined":
		return e.Kind == KindActivity
	}
	return false
}

// unit names the unit of a message or reply, "" of anything else.
func (e *Entry) unit() string {
	return e.Unit() // whatever conversation it is shown in
}

// emptied is a row of a retired conversation: when, where, and that it is over.
func (c *Conversation) emptied() {
	*c = Conversation{
		ID: c.ID, Customer: c.Customer, Topic: c.Topic, Status: StatusClosed, Assignee: NoAssignee,
		Inbox: c.Inbox, Channel: c.Channel, Last: c.Last, LastAt: c.LastAt, OpenedAt: c.OpenedAt,
		Version: c.Version, Retired: true,
	}
}
