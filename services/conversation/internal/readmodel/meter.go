package readmodel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Repeat is one thing the repeat meter counts. Each is a document of its own,
// so that figures are counts of an index: exact after a crash, summed over
// customers by itself, and gone with its customer.
type Repeat struct {
	Kind         string `json:"kind"` // of package repeat
	Customer     string `json:"customer"`
	Conversation string `json:"conversation"`
	Day          string `json:"day"` // 2026-11-27, UTC
	At           int64  `json:"at"`  // µs
	// Latest sorts the lists of what is counted, see RepeatKey.
	Latest string   `json:"latest"`
	Before []string `json:"before,omitempty"`
	// Subjects open while both subjects can be read that alone are why it
	// counts: after that a rebuild would not find it.
	Subjects []Excerpt `json:"subjects,omitempty"`
}

// RepeatID names its document.
func RepeatID(kind, id string) string { return kind + "/" + id }

// RepeatKey is a document's place in the lists: by time, then by id, so that no
// two have the same.
func RepeatKey(at int64, kind, id string) string {
	return fmt.Sprintf("%020d/%s", max(at, 0), RepeatID(kind, id))
}

// meter folds one event of a customer's into his repeat meter.
func (w *Work) meter(ctx context.Context, p Place, ev event.Event, customer *slot[Customer]) error {
	subject := ""
	if v, ok := ev.(event.ConversationOpened); ok {
		var err error
		if subject, err = w.subject(ctx, v); err != nil {
			return err
		}
	}
	found, changed := customer.val.Meter.Apply(p.At, ev, subject)
	if changed {
		w.customers.wrote(p.Customer, customer, p.Seq)
	}
	for _, f := range found {
		id := RepeatID(f.Kind, f.ID)
		w.repeats.need(id, true)
		sl := w.repeats.at(id, p.Seq)
		if sl == nil {
			continue
		}
		sl.val = Repeat{Kind: f.Kind, Customer: p.Customer, Conversation: f.Conversation, Day: f.At.UTC().Format(time.DateOnly), At: micro(f.At), Latest: RepeatKey(micro(f.At), f.Kind, f.ID), Before: f.Before}
		for _, key := range f.Keys {
			e, err := w.excerpt(ctx, &Entry{ID: id, Body: crypt.Sealed{Key: key}}, "subject", RepeatAAD(id))
			if err != nil {
				return err
			}
			sl.val.Subjects = append(sl.val.Subjects, e)
		}
		w.repeats.wrote(id, sl, p.Seq)
	}
	return nil
}

// subject is the keyed hash of a conversation's subject; "" when there is none, or none that can be read.
func (w *Work) subject(ctx context.Context, v event.ConversationOpened) (string, error) {
	if len(v.Subject.Box) == 0 {
		return "", nil
	}
	plain, err := w.keys.Open(ctx, v.Subject, event.SubjectAAD(v.Conversation))
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open subject: %w", err)
	}
	if s := repeat.Subject(string(plain)); s != "" {
		return w.keys.Hash("repeat subject", s), nil
	}
	return "", nil
}

// RepeatAAD binds the seals of Repeat.Subjects.
func RepeatAAD(id string) []byte { return []byte("repeat/" + id + "/subject") }

func canonicalRepeat(ctx context.Context, doc []byte, keys Keys) ([]byte, error) {
	var r Repeat
	if err := json.Unmarshal(doc, &r); err != nil {
		return nil, err
	}
	for i := range r.Subjects {
		if r.Subjects[i].Of == "" {
			return nil, nil
		}
		if err := r.Subjects[i].reveal(ctx, keys, RepeatAAD(r.Subjects[i].Of)); err != nil {
			return nil, err
		}
		if r.Subjects[i].Of == "" {
			return nil, nil
		}
	}
	return json.Marshal(r)
}
