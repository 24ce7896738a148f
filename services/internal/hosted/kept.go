package hosted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Kept is what an adapter keeps beyond the process, as JSON documents: in
// Deps.State, or in memory where there is none. Safe for concurrent use.
type Kept struct {
	channel     string
	collections []docstore.Collection
	state       docstore.Store
	keys        crypt.Keyring

	mu       sync.Mutex
	declared bool
	memory   map[string][]byte
}

// NewKept makes one for a channel, with the collections it will ever use.
func NewKept(d Deps, channelName string, collections ...docstore.Collection) *Kept {
	return &Kept{channel: channelName, collections: collections, state: d.State, keys: d.Keys, memory: map[string][]byte{}}
}

// ID names a document by its parts; with a keyring it gives none of them away.
func (k *Kept) ID(parts ...string) string {
	if k.keys != nil {
		return k.keys.Hash(k.channel, parts...)
	}
	b, _ := json.Marshal(parts)
	return string(b)
}

// Get reads a document into v; false: there is none.
func (k *Kept) Get(ctx context.Context, collection, id string, v any) (bool, error) {
	b, err := k.load(ctx, collection, id)
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return false, fmt.Errorf("load from %s: %w", collection, err)
	}
	return len(b) > 0, nil
}

func (k *Kept) load(ctx context.Context, collection, id string) ([]byte, error) {
	if k.state == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.memory[collection+"/"+id], nil
	}
	if err := k.declare(ctx); err != nil {
		return nil, err
	}
	d, err := k.state.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, nil
	}
	return d.JSON, err
}

// List gives each document of a collection whose index begins with a value; the
// index is over a text at the top of the documents. In no order.
func (k *Kept) List(ctx context.Context, collection string, index docstore.Index, value string, each func(id string, b []byte) error) error {
	if k.state == nil {
		for id, b := range k.remembered(collection, index, value) {
			if err := each(id, b); err != nil {
				return err
			}
		}
		return nil
	}
	if err := k.declare(ctx); err != nil {
		return err
	}
	const page = 500
	for after := ""; ; {
		items, err := k.state.List(ctx, collection, docstore.Query{Index: index.Name, Prefix: []any{value}, Limit: page, After: after})
		if err != nil {
			return fmt.Errorf("list %s: %w", collection, err)
		}
		for _, it := range items {
			if err := each(it.ID, it.JSON); err != nil {
				return err
			}
		}
		if len(items) < page {
			return nil
		}
		after = items[len(items)-1].Token
	}
}

// remembered is what List gives where there is no store.
func (k *Kept) remembered(collection string, index docstore.Index, value string) map[string][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := map[string][]byte{}
	for key, b := range k.memory {
		var d map[string]any
		if id, ok := strings.CutPrefix(key, collection+"/"); ok && json.Unmarshal(b, &d) == nil && d[index.Prefix[0]] == value {
			found[id] = b
		}
	}
	return found
}

func (k *Kept) declare(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.declared {
		return nil
	}
	if err := k.state.Declare(ctx, k.collections...); err != nil {
		return fmt.Errorf("declare what %s keeps: %w", k.channel, err)
	}
	k.declared = true
	return nil
}

// Change is a document to write or to delete.
type Change struct {
	collection, id string
	value          any
	gone           bool
}

// Put writes a document, whole.
func Put(collection, id string, value any) Change {
	return Change{collection: collection, id: id, value: value}
}

// Drop deletes a document; one that is not there is deleted already.
func Drop(collection, id string) Change { return Change{collection: collection, id: id, gone: true} }

// Save makes all changes or, on SQLite, none.
func (k *Kept) Save(ctx context.Context, changes ...Change) error {
	var batch docstore.Batch
	for _, c := range changes {
		op := docstore.Op{Collection: c.collection, Doc: docstore.Doc{ID: c.id}, Delete: c.gone}
		if !c.gone {
			var err error
			if op.Doc.JSON, err = json.Marshal(c.value); err != nil {
				return fmt.Errorf("encode for %s: %w", c.collection, err)
			}
		}
		batch.Ops = append(batch.Ops, op)
	}
	if k.state == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, op := range batch.Ops {
			k.memory[op.Collection+"/"+op.Doc.ID] = op.Doc.JSON
		}
		return nil
	}
	if err := k.declare(ctx); err != nil {
		return err
	}
	if err := k.state.Apply(ctx, batch); err != nil {
		return fmt.Errorf("save what %s keeps: %w", k.channel, err)
	}
	return nil
}
