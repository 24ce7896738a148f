package readmodel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// derive opens what was said, once, for search, the row's preview and the customer's name.
func (w *Work) derive(ctx context.Context, p Place, e *Entry, customer *slot[Customer], row *slot[Conversation]) error {
	o, ok, err := w.open(ctx, e)
	if err != nil || !ok {
		return err
	}
	w.found(p, e, o)
	if e.Kind == KindNote || e.Kind == KindEvent {
		return nil
	}
	if row != nil && row.exists {
		if row.val.Preview, err = w.excerpt(ctx, e, o.preview(), PreviewAAD(e.ID)); err != nil {
			return err
		}
	}
	if o.name != "" && customer != nil && customer.exists && e.Kind == KindMessage && !thirdParty(e.Flags) {
		if customer.val.Name, err = w.excerpt(ctx, e, cut(o.name, 200), NameAAD(e.ID)); err != nil {
			return err
		}
		customer.val.NameAt = micro(p.At)
	}
	return nil
}

// found says what an entry is found by.
func (w *Work) found(p Place, e *Entry, o opened) {
	id := SearchID(e)
	w.search.need(id, true)
	if sl := w.search.at(id, p.Seq); sl != nil {
		sl.val = o.search(e)
		w.search.wrote(id, sl, p.Seq)
	}
}

// open reads a body; false when there is none, its key was destroyed, or it is
// damaged: one bad body must not stop everything that comes after it.
func (w *Work) open(ctx context.Context, e *Entry) (opened, bool, error) {
	var aad []byte
	switch e.Kind {
	case KindMessage:
		aad = event.MessageAAD(e.ID)
	case KindReply:
		aad = event.ReplyAAD(e.ID)
	case KindChange:
		aad = event.ChangeAAD(e.ID)
	case KindNote:
		aad = event.NoteAAD(e.ID)
	case KindEvent:
		aad = event.EventAAD(e.ID)
	default:
		return opened{}, false, nil
	}
	plain, err := w.keys.Open(ctx, e.Body, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return opened{}, false, nil
	}
	if err != nil {
		return opened{}, false, fmt.Errorf("open body: %w", err)
	}
	var o opened
	switch e.Kind {
	case KindMessage:
		var b event.MessageBody
		err = json.Unmarshal(plain, &b)
		o = openedMessage(b)
	case KindReply:
		var b event.ReplyBody
		err = json.Unmarshal(plain, &b)
		o = openedReply(b)
	case KindChange:
		var b event.ChangeBody
		err = json.Unmarshal(plain, &b)
		o = openedMessage(event.MessageBody{Content: b.Content, From: b.From, FromName: b.FromName})
	case KindNote:
		var b event.NoteBody
		err = json.Unmarshal(plain, &b)
		o = opened{text: b.Text}
	case KindEvent:
		var b event.EventBody
		err = json.Unmarshal(plain, &b)
		o = opened{subject: b.Title}
	}
	return o, err == nil, nil
}

func (w *Work) excerpt(ctx context.Context, e *Entry, s string, aad []byte) (Excerpt, error) {
	if s == "" {
		return Excerpt{}, nil
	}
	sealed, err := w.keys.Seal(ctx, e.Body.Key, []byte(s), aad)
	if errors.Is(err, crypt.ErrShredded) {
		return Excerpt{}, nil
	}
	if err != nil {
		return Excerpt{}, fmt.Errorf("seal excerpt: %w", err)
	}
	return Excerpt{Sealed: sealed, Of: e.ID}, nil
}

// PreviewAAD and NameAAD bind the excerpts the projector seals.
func PreviewAAD(entry string) []byte { return []byte("excerpt/" + entry + "/preview") }
func NameAAD(entry string) []byte    { return []byte("excerpt/" + entry + "/name") }
