package readmodel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Actions of changes, as they are stored.
const (
	Edited    = "edited"
	Deleted   = "deleted"
	Reacted   = "reacted"
	Unreacted = "unreacted"
)

// Changes are what one handle did to what one reference means, as far as one
// stream tells. The message may be on another stream, or not be there yet: they
// are tied when read, and here only for what a message is found by.
type Changes struct {
	Customer string   `json:"customer"`
	Ref      string   `json:"ref"`     // keyed hash
	Changes  []string `json:"changes"` // entries, in stream order
	Deleted  bool     `json:"deleted,omitempty"`
	Forget   bool     `json:"forget,omitempty"`
}

// maxChanges is how many are kept of one handle to one message; the first one
// and the newest are.
const maxChanges = 200

// ChangesID names the document.
func ChangesID(customer, ref, handle string) string { return customer + "." + ref + "." + handle }

// Counts says whether a change may count for a message at all: nothing below
// an attested sender proves anything.
func (e *Entry) Counts() bool { return e.Kind == KindChange && e.Assurance >= 2 }

// Changes says whether a change is of this message or reply: done over its own
// handle, and an edit or a deletion to a message of its sender's only.
func (e *Entry) Changed(by *Entry) bool {
	if !by.Counts() || by.Handle != e.Handle || !slices.Contains(e.Refs, by.Ref) {
		return false
	}
	if by.Verb == Edited || by.Verb == Deleted {
		return e.Kind == KindMessage
	}
	return e.Kind == KindMessage || e.Kind == KindReply
}

// ByTime orders changes: by the provider's time, and as they came where that is the same.
func ByTime(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.OccurredAt, b.OccurredAt), cmp.Compare(a.Position, b.Position))
}

// needChanged notes what a change, or what is changed, leads to.
func (w *Work) needChanged(p Place, ev event.Event) {
	if v, ok := ev.(event.MessageChanged); ok {
		w.changes.need(ChangesID(p.Customer, v.Target, v.Handle), false)
		w.targets = append(w.targets, v.Target)
	}
	if v, ok := ev.(event.MessageReceived); ok {
		for _, ref := range v.Refs {
			w.changes.need(ChangesID(p.Customer, ref, v.Handle), false)
		}
	}
}

// loadChanged fetches what was done to the messages at hand, and the messages
// of what is done.
func (w *Work) loadChanged(ctx context.Context, s docstore.Store) error {
	if err := w.changes.load(ctx, s, func(*Changes, string) {}); err != nil {
		return err
	}
	for _, sl := range w.changes.slots {
		for _, id := range sl.val.Changes {
			w.entries.need(id, false)
		}
	}
	for _, hash := range w.targets {
		err := loadAll(ctx, s, &w.refs, docstore.Query{Index: ByRef, Prefix: []any{hash}}, func(r *Ref, _ string) {
			w.entries.need(r.Entry, false)
			w.tied = append(w.tied, r.Entry)
		})
		if err != nil {
			return err
		}
	}
	w.targets = nil
	return nil
}

// needRowsOf asks for the rows of entries that are loaded.
func (w *Work) needRowsOf(entries *[]string) error {
	for _, id := range *entries {
		if sl := w.entries.slots[id]; sl != nil && sl.exists {
			w.conversations.need(sl.val.Conversation, false)
		}
	}
	*entries = nil
	return nil
}

// foldChange notes a change and lets go of what it replaces.
func (w *Work) foldChange(ctx context.Context, p Place, e *Entry) error {
	if !e.Counts() {
		return w.findChange(ctx, p, e)
	}
	id := ChangesID(p.Customer, e.Ref, e.Handle)
	w.changes.need(id, true)
	doc := w.changes.slots[id]
	if w.changes.at(id, p.Seq) != nil {
		doc.val.Customer, doc.val.Ref = p.Customer, e.Ref
		if !slices.Contains(doc.val.Changes, e.ID) {
			doc.val.Changes = append(slices.Clip(doc.val.Changes), e.ID)
			if len(doc.val.Changes) > maxChanges {
				doc.val.Changes = slices.Delete(doc.val.Changes, 1, 2)
			}
		}
		doc.val.Deleted = doc.val.Deleted || e.Verb == Deleted
		doc.val.Forget = doc.val.Forget || e.Forget
		w.changes.wrote(id, doc, p.Seq)
	}
	if err := w.findChange(ctx, p, e); err != nil {
		return err
	}
	for _, sl := range w.refs.slots {
		if !sl.exists || sl.val.Ref != e.Ref || sl.val.Customer != p.Customer {
			continue
		}
		if target := w.entries.slots[sl.val.Entry]; target != nil && target.exists && target.val.Changed(e) {
			if err := w.tie(ctx, p, &doc.val, target); err != nil {
				return err
			}
		}
	}
	return w.settleChanges(p, &doc.val)
}

// foldChanged ties a message that comes after what was done to it.
func (w *Work) foldChanged(ctx context.Context, p Place, e *Entry) error {
	for _, ref := range e.Refs {
		doc := w.changes.slots[ChangesID(p.Customer, ref, e.Handle)]
		target := w.entries.slots[e.ID]
		if doc == nil || !doc.exists || target == nil || !target.exists || e.Kind != KindMessage {
			continue
		}
		if err := w.tie(ctx, p, &doc.val, target); err != nil {
			return err
		}
	}
	return nil
}

// findChange makes what an edit says found.
func (w *Work) findChange(ctx context.Context, p Place, e *Entry) error {
	if e.Verb != Edited {
		return nil
	}
	o, ok, err := w.open(ctx, e)
	if err == nil && ok {
		w.found(p, e, o)
	}
	return err
}

// newest is the edit that counts now, nil for none.
func (w *Work) newest(d *Changes) (out *Entry) {
	for _, id := range d.Changes {
		sl := w.entries.slots[id]
		if sl != nil && sl.exists && sl.val.Verb == Edited && (out == nil || ByTime(out, &sl.val) < 0) {
			out = &sl.val
		}
	}
	return out
}

// settleChanges takes from search, and where its inbox keeps nothing of what is
// deleted from the documents, what edits said that count no more.
func (w *Work) settleChanges(p Place, d *Changes) error {
	newest := w.newest(d)
	for _, id := range d.Changes {
		sl := w.entries.slots[id]
		if sl == nil || !sl.exists || sl.val.Verb != Edited {
			continue
		}
		if d.Deleted || &sl.val != newest {
			w.lose(p, &sl.val)
		}
		if d.Forget && w.entries.at(id, p.Seq) != nil {
			sl.val.forget()
			w.entries.wrote(id, sl, p.Seq)
		}
	}
	return nil
}

// tie lets a message be found, and its row show, as it reads now.
func (w *Work) tie(ctx context.Context, p Place, d *Changes, target *slot[Entry]) error {
	e, newest := &target.val, w.newest(d)
	if newest == nil && !d.Deleted {
		return nil
	}
	w.lose(p, e)
	row := w.conversations.slots[e.Conversation]
	if row != nil && row.exists && row.val.Preview.Of == e.ID && w.conversations.at(e.Conversation, p.Seq) != nil {
		row.val.Preview = Excerpt{}
		if !d.Deleted {
			o, ok, err := w.open(ctx, newest)
			if err != nil {
				return err
			}
			if ok && o.preview() != "" {
				sealed, err := w.keys.Seal(ctx, newest.Body.Key, []byte(o.preview()), PreviewAAD(e.ID))
				if err != nil && !errors.Is(err, crypt.ErrShredded) {
					return fmt.Errorf("seal excerpt: %w", err)
				}
				if err == nil {
					row.val.Preview = Excerpt{Sealed: sealed, Of: e.ID}
				}
			}
		}
		w.conversations.wrote(e.Conversation, row, p.Seq)
	}
	if d.Forget && w.entries.at(e.ID, p.Seq) != nil {
		e.forget()
		w.entries.wrote(e.ID, target, p.Seq)
	}
	return nil
}

// lose takes from search what an entry was found by.
func (w *Work) lose(p Place, e *Entry) {
	id := SearchID(e)
	w.search.need(id, true)
	if sl := w.search.at(id, p.Seq); sl != nil {
		w.search.remove(id, sl, p.Seq)
	}
}

// forget keeps that it was, and where.
func (e *Entry) forget() {
	if e.Kind == KindMessage && e.Body.Key != "" {
		e.Kept = e.Body.Key
	}
	e.Body, e.Raw, e.Forget = crypt.Sealed{}, "", true
}
