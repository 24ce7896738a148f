// Package underway notes the files that are being fetched for inputs which are
// not taken in yet. Nothing else knows of such a file: the message that will
// name it is not stored, and when its sender is erased after a crash, the input
// that could be read again cannot be.
package underway

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

const collection = "underway" // in the state store

// File is a fetched file and the input it is for. Stored: names stay.
type File struct {
	Blob    string `json:"-"`   // its key; the note's id
	DataKey string `json:"key"` // it is sealed under
	Ref     string `json:"ref"` // of the input in IN
}

// Notes are the files under way. Safe for concurrent use.
type Notes struct{ store docstore.Store }

// New declares where the notes are.
func New(ctx context.Context, store docstore.Store) (*Notes, error) {
	if err := store.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return nil, fmt.Errorf("declare files under way: %w", err)
	}
	return &Notes{store}, nil
}

// Begin notes a file before its first byte is stored. Durable when it returns;
// the same again is no error.
func (n *Notes) Begin(ctx context.Context, f File) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode file under way: %w", err)
	}
	if err := n.apply(ctx, docstore.Op{Collection: collection, Doc: docstore.Doc{ID: f.Blob, JSON: b}}); err != nil {
		return fmt.Errorf("note file under way: %w", err)
	}
	return nil
}

// End removes the notes of files that a stored message names now, or that are gone.
func (n *Notes) End(ctx context.Context, blobs ...string) error {
	ops := make([]docstore.Op, 0, len(blobs))
	for _, key := range blobs {
		ops = append(ops, docstore.Op{Collection: collection, Doc: docstore.Doc{ID: key}, Delete: true})
	}
	if len(ops) == 0 {
		return nil
	}
	if err := n.apply(ctx, ops...); err != nil {
		return fmt.Errorf("end file under way: %w", err)
	}
	return nil
}

// All lists what is under way: little, and mostly nothing.
func (n *Notes) All(ctx context.Context) ([]File, error) {
	var all []File
	err := n.store.Scan(ctx, collection, func(d docstore.Doc) error {
		f := File{Blob: d.ID}
		if err := json.Unmarshal(d.JSON, &f); err != nil {
			return err
		}
		all = append(all, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read files under way: %w", err)
	}
	return all, nil
}

func (n *Notes) apply(ctx context.Context, ops ...docstore.Op) error {
	return n.store.Apply(ctx, docstore.Batch{Ops: ops})
}
