package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Collections of what outlives the process.
const (
	colCursors  = "mastodon_cursors"  // by inbox and account
	colStatuses = "mastodon_statuses" // by inbox and post: what an answer and a deletion need
)

// cursor is the notification that was taken in last. It moves once everything before it is on disk.
type cursor struct {
	Last string `json:"last"`
}

// post is what is remembered of one: a deletion says only its id. Who wrote it is
// sealed under the inbox's key.
type post struct {
	Author     crypt.Sealed `json:"author"`
	Plain      string       `json:"plain,omitempty"` // where there is no keyring
	Visibility string       `json:"visibility"`
	Root       string       `json:"root"` // the first post of its thread that is known
}

// kept is the store, or memory where there is none.
type kept struct {
	state    docstore.Store
	keys     crypt.Keyring
	mu       sync.Mutex
	declared bool
	memory   map[string][]byte
}

func newKept(d hosted.Deps) *kept {
	return &kept{state: d.State, keys: d.Keys, memory: map[string][]byte{}}
}

// id names a document; with a keyring it gives no post away.
func (k *kept) id(parts ...string) string {
	if k.keys != nil {
		return k.keys.Hash("mastodon", parts...)
	}
	b, _ := json.Marshal(parts)
	return string(b)
}

// get finds a document; false: there is none.
func (k *kept) get(ctx context.Context, collection, id string, v any) (bool, error) {
	var b []byte
	if k.state == nil {
		k.mu.Lock()
		b = k.memory[collection+"/"+id]
		k.mu.Unlock()
	} else {
		if err := k.declare(ctx); err != nil {
			return false, err
		}
		d, err := k.state.Get(ctx, collection, id)
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return false, fmt.Errorf("load from %s: %w", collection, err)
		}
		b = d.JSON
	}
	if len(b) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("load from %s: %w", collection, err)
	}
	return true, nil
}

func (k *kept) declare(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.declared {
		return nil
	}
	if err := k.state.Declare(ctx, docstore.Collection{Name: colCursors}, docstore.Collection{Name: colStatuses}); err != nil {
		return fmt.Errorf("declare what mastodon keeps: %w", err)
	}
	k.declared = true
	return nil
}

type change struct {
	collection, id string
	value          any
}

func (k *kept) save(ctx context.Context, changes ...change) error {
	var batch docstore.Batch
	for _, c := range changes {
		b, err := json.Marshal(c.value)
		if err != nil {
			return fmt.Errorf("encode for %s: %w", c.collection, err)
		}
		batch.Ops = append(batch.Ops, docstore.Op{Collection: c.collection, Doc: docstore.Doc{ID: c.id, JSON: b}})
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
		return fmt.Errorf("save what mastodon keeps: %w", err)
	}
	return nil
}

// known is a post that was remembered, and who wrote it.
type known struct {
	user       user
	visibility string
	root       string
}

func (k *kept) post(ctx context.Context, inboxID, statusID string) (p known, ok bool, err error) {
	var d post
	id := k.id(inboxID, statusID)
	if ok, err = k.get(ctx, colStatuses, id, &d); err != nil || !ok {
		return p, false, err
	}
	p.visibility, p.root = d.Visibility, d.Root
	b := []byte(d.Plain)
	if k.keys != nil {
		if b, err = k.keys.Open(ctx, d.Author, []byte("mastodon post "+id)); errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
			return p, false, nil
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &p.user)
	}
	if err != nil {
		return p, false, fmt.Errorf("open author of a post: %w", err)
	}
	return p, true, nil
}

// remember is the document of a post.
func (k *kept) remember(ctx context.Context, inboxID, statusID string, p known) (change, error) {
	id := k.id(inboxID, statusID)
	d := post{Visibility: p.visibility, Root: p.root}
	b, err := json.Marshal(p.user)
	if err == nil && k.keys != nil {
		d.Author, err = k.keys.Seal(ctx, "inbox/"+inboxID, b, []byte("mastodon post "+id))
	} else {
		d.Plain = string(b)
	}
	if err != nil {
		return change{}, fmt.Errorf("seal author of a post: %w", err)
	}
	return change{colStatuses, id, d}, nil
}
