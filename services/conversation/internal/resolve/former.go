package resolve

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// indexShape is the version of the documents of an index. An index of another
// shape is not read: this one begins with the first commit.
const indexShape = "2"

// known is the collection that remembers which indexes were ever begun in a store.
const known = "resolve_indexes"

// openIndex opens the index kept for a set of rules and drops all others: rules
// that were changed never read them again, and no erasure would clean them.
func openIndex(ctx context.Context, s docstore.Store, digest string) (*index, error) {
	x := indexNamed(s, indexShape+"_"+digest)
	if err := s.Declare(ctx, append(x.collections(), docstore.Collection{Name: known})...); err != nil {
		return nil, fmt.Errorf("declare index of identities: %w", err)
	}
	// Noted before anything is in it: one that is begun is always dropped again.
	note := docstore.Op{Collection: known, Doc: docstore.Doc{ID: x.name, Seq: 1, JSON: []byte("{}")}}
	if err := s.Apply(ctx, docstore.Batch{Ops: []docstore.Op{note}}); err != nil {
		return nil, fmt.Errorf("note index of identities: %w", err)
	}
	err := s.Scan(ctx, known, func(d docstore.Doc) error {
		if d.ID == x.name {
			return nil
		}
		return indexNamed(s, d.ID).drop(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("drop indexes of former rules: %w", err)
	}
	return x, nil
}

func (x *index) drop(ctx context.Context) error {
	if err := x.store.DropCheckpoints(ctx, x.checkpoint); err != nil {
		return err
	}
	for _, c := range x.collections() {
		if err := x.store.Drop(ctx, c.Name); err != nil {
			return err
		}
	}
	gone := docstore.Op{Collection: known, Doc: docstore.Doc{ID: x.name}, Delete: true, IfRev: 1}
	return x.store.Apply(ctx, docstore.Batch{Ops: []docstore.Op{gone}})
}
