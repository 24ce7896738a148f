package readmodel

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// slot is one document being folded. seq is how far it is.
type slot[T any] struct {
	val    T
	seq    uint64
	exists bool
	dirty  bool
}

// table holds the documents of one collection that a batch touches.
type table[T any] struct {
	collection string
	slots      map[string]*slot[T]
	asked      []string // for the first time, by need
	want       []string // to load, in order of first use
	order      []string // in order of first write
}

func newTable[T any](collection string) table[T] {
	return table[T]{collection: collection, slots: map[string]*slot[T]{}}
}

// need asks for a document to be loaded; fresh says that the batch itself makes it.
func (t *table[T]) need(id string, fresh bool) {
	if id == "" || t.slots[id] != nil {
		return
	}
	t.slots[id] = &slot[T]{}
	t.asked = append(t.asked, id)
	if !fresh {
		t.want = append(t.want, id)
	}
}

// load fetches what is needed. setID puts the id, which JSON leaves out, back in.
func (t *table[T]) load(ctx context.Context, s docstore.Store, setID func(*T, string)) error {
	for start := 0; start < len(t.want); start += 500 {
		ids := t.want[start:min(start+500, len(t.want))]
		docs, err := s.GetMany(ctx, t.collection, ids...)
		if err != nil {
			return fmt.Errorf("load %s: %w", t.collection, err)
		}
		for i, d := range docs {
			if d.JSON == nil {
				continue
			}
			sl := t.slots[ids[i]]
			if err := json.Unmarshal(d.JSON, &sl.val); err != nil {
				return fmt.Errorf("read document of %s: %w", t.collection, err)
			}
			setID(&sl.val, ids[i])
			sl.seq, sl.exists = d.Seq, true
		}
	}
	return nil
}

// at returns the document if the commit at seq is news to it.
func (t *table[T]) at(id string, seq uint64) *slot[T] {
	sl := t.slots[id]
	if sl == nil || sl.exists && !sl.dirty && sl.seq >= seq || sl.dirty && sl.seq > seq {
		return nil
	}
	return sl
}

// wrote notes that the slot now holds the state at seq.
func (t *table[T]) wrote(id string, sl *slot[T], seq uint64) {
	if !sl.dirty {
		t.order = append(t.order, id)
	}
	sl.seq, sl.exists, sl.dirty = seq, true, true
}

// remove notes that the document is gone since seq.
func (t *table[T]) remove(id string, sl *slot[T], seq uint64) {
	t.wrote(id, sl, seq)
	var none T
	sl.val, sl.exists = none, false
}

// ops are the writes, in order of first write.
func (t *table[T]) ops(ops []docstore.Op) ([]docstore.Op, error) {
	for _, id := range t.order {
		sl := t.slots[id]
		if !sl.exists {
			ops = append(ops, docstore.Op{Collection: t.collection, Doc: docstore.Doc{ID: id, Seq: sl.seq}, Delete: true})
			continue
		}
		b, err := json.Marshal(&sl.val)
		if err != nil {
			return nil, fmt.Errorf("encode document of %s: %w", t.collection, err)
		}
		ops = append(ops, docstore.Op{Collection: t.collection, Doc: docstore.Doc{ID: id, Seq: sl.seq, JSON: b}})
	}
	return ops, nil
}
