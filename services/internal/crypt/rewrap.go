package crypt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

const turnName = "!turn"

// turn is the row that is there while a rotation goes on: it holds each of
// the two key-encryption keys under the other, so that either opens the table
// after a crash in between.
type turn struct {
	From     string `json:"from"`
	To       string `json:"to"`
	ToByFrom []byte `json:"to_by_from"` // the new key under the old one
	FromByTo []byte `json:"from_by_to"`
}

// Rewrap changes the key-encryption key: it wraps every key anew, and returns
// when nothing is left under the old one. May be called again after a crash,
// with a ring opened by either key. No other process may use the table
// meanwhile. Data keys and everything sealed under them stay as they are.
func (r *Ring) Rewrap(ctx context.Context, newKEK []byte) error {
	old := r.kek.id()
	if err := r.kek.add(newKEK); err != nil {
		return fmt.Errorf("rewrap: %w", err)
	}
	id := kekID(newKEK)
	if id != old {
		if err := r.writeTurn(ctx, old, id); err != nil {
			return fmt.Errorf("rewrap: %w", err)
		}
	}
	r.kek.use(id, false)
	for again := true; again; {
		n, err := r.rewrapAll(ctx, id)
		if err != nil {
			return fmt.Errorf("rewrap: %w", err)
		}
		again = n > 0 // a pass that finds nothing is the proof
	}
	if err := r.table.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: collection, Doc: docstore.Doc{ID: turnName}, Delete: true}}}); err != nil {
		return fmt.Errorf("rewrap: %w", err)
	}
	r.kek.use(id, true)
	if s, ok := r.table.(docstore.Scrubber); ok {
		if err := s.Scrub(ctx); err != nil {
			return fmt.Errorf("rewrap: %w", err)
		}
	}
	return nil
}

func (r *Ring) writeTurn(ctx context.Context, from, to string) error {
	a, _ := r.kek.get(from)
	b, _ := r.kek.get(to)
	t := turn{From: from, To: to}
	var err error
	if t.ToByFrom, err = a.aead.Encrypt(b.key, wrapAAD(turnName)); err != nil {
		return err
	}
	if t.FromByTo, err = b.aead.Encrypt(a.key, wrapAAD(turnName)); err != nil {
		return err
	}
	doc, err := json.Marshal(t)
	if err != nil {
		return err
	}
	// Create: a rotation to a third key before this one is through would lose one of the three.
	op := docstore.Op{Collection: collection, Doc: docstore.Doc{ID: turnName, JSON: doc}, Create: true}
	err = r.table.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
	if !errors.Is(err, docstore.ErrExists) {
		return err
	}
	there, err := r.readTurn(ctx)
	if err != nil {
		return err
	}
	if there == nil || (there.To != to && there.From != to) {
		return errors.New("a rotation to another key is not finished: finish it first")
	}
	return nil
}

func (r *Ring) readTurn(ctx context.Context) (*turn, error) {
	docs, err := r.table.GetMany(ctx, collection, turnName)
	if err != nil || docs[0].JSON == nil {
		return nil, err
	}
	var t turn
	if err := json.Unmarshal(docs[0].JSON, &t); err != nil {
		return nil, fmt.Errorf("read the rotation row: %w", err)
	}
	return &t, nil
}

// loadTurn adds the other key of an unfinished rotation.
func (r *Ring) loadTurn(ctx context.Context) error {
	t, err := r.readTurn(ctx)
	if err != nil || t == nil {
		return err
	}
	mine := r.kek.id()
	by, _ := r.kek.get(mine)
	other := t.ToByFrom
	switch mine {
	case t.From:
	case t.To:
		other = t.FromByTo
	default:
		return nil // the root key will say that this one is wrong
	}
	key, err := by.aead.Decrypt(other, wrapAAD(turnName))
	if err != nil {
		return fmt.Errorf("read the rotation row: %w", err)
	}
	return r.kek.add(key)
}

// rewrapAll wraps the rows that are not under id, and says how many there were.
func (r *Ring) rewrapAll(ctx context.Context, id string) (int, error) {
	n := 0
	err := r.table.Scan(ctx, collection, func(d docstore.Doc) error {
		if d.ID == turnName {
			return nil
		}
		var rw row
		if err := json.Unmarshal(d.JSON, &rw); err != nil {
			return fmt.Errorf("read key %s: %w", d.ID, err)
		}
		if rw.State != live || rw.KEK == id {
			return nil
		}
		n++
		key, err := r.kek.unwrap(d.ID, rw)
		if err != nil {
			return err
		}
		op, err := r.put(d.ID, key, d.Seq+1)
		if err != nil {
			return err
		}
		op.IfRev = d.Seq
		err = r.table.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
		if errors.Is(err, docstore.ErrStale) {
			return nil // destroyed meanwhile; the next pass sees
		}
		return err
	})
	return n, err
}
