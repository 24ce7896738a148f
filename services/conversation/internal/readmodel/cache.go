package readmodel

import (
	"sync"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Cache keeps decoded documents that reads ask for again and again: customers,
// handles and conversations. What it has is never older than what the projector
// has applied: a write takes its document out before the checkpoint is seen to
// move. Whoever writes documents past the projector says so with Forget.
// Documents are shared: do not change them. Safe for concurrent use.
type Cache struct {
	mu   sync.Mutex
	docs map[cacheKey]any
	// Of each document when it was last written, in writes counted from the
	// start; none remembered was written before floor.
	now, floor uint64
	written    map[cacheKey]uint64
}

type cacheKey struct{ collection, id string }

// Bounds, in documents; beyond them it begins anew.
const (
	maxCached  = 20_000
	maxWritten = 20_000
)

func newCache() *Cache {
	return &Cache{docs: map[cacheKey]any{}, written: map[cacheKey]uint64{}}
}

// Get returns what is there, nil for what is not, and the moment to give to Put
// with what is then read from the store.
func (c *Cache) Get(collection string, ids []string) (docs []any, moment uint64) {
	docs = make([]any, len(ids))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, id := range ids {
		docs[i] = c.docs[cacheKey{collection, id}]
	}
	return docs, c.now
}

// Put keeps a document read after the moment, unless it was written since.
func (c *Cache) Put(collection, id string, doc any, moment uint64) {
	k := cacheKey{collection, id}
	c.mu.Lock()
	defer c.mu.Unlock()
	if moment < c.floor || c.written[k] > moment {
		return
	}
	if len(c.docs) >= maxCached {
		clear(c.docs)
	}
	c.docs[k] = doc
}

// Forget takes documents out that were written.
func (c *Cache) Forget(ops []docstore.Op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	if len(c.written)+len(ops) > maxWritten {
		clear(c.written)
		c.floor = c.now
	}
	for _, op := range ops {
		k := cacheKey{op.Collection, op.Doc.ID}
		delete(c.docs, k)
		c.written[k] = c.now
	}
}
