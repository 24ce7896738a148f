package crypt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// counted counts how often keys are read.
type counted struct {
	crypt.Table
	reads atomic.Int64
}

func (c *counted) GetMany(ctx context.Context, collection string, ids ...string) ([]docstore.Doc, error) {
	c.reads.Add(1)
	return c.Table.GetMany(ctx, collection, ids...)
}

// TestFetchReadsOnce: many keys are one read, and what cannot be had is left to
// Open: a destroyed key stays destroyed, one that never was is no error.
func TestFetchReadsOnce(t *testing.T) {
	t.Parallel()
	tab := &counted{Table: table(t, filepath.Join(t.TempDir(), "keys.db"))}
	r := ring(t, tab, kekA)
	var names []string
	var boxes []crypt.Sealed
	for i := range 100 {
		names = append(names, fmt.Sprint("unit/", i))
		boxes = append(boxes, seal(t, r, names[i], "hello"))
	}
	if err := r.Destroy(t.Context(), names[7]); err != nil {
		t.Fatal(err)
	}
	r = ring(t, tab, kekA) // nothing in memory
	tab.reads.Store(0)
	if err := r.Fetch(t.Context(), append(names, names[3], "unit/never", "!root", "")...); err != nil {
		t.Fatal(err)
	}
	for i, box := range boxes {
		if i == 7 {
			_, err := r.Open(t.Context(), box, []byte("place"))
			wantErr(t, err, crypt.ErrShredded)
			continue
		}
		wantOpen(t, r, box, "hello")
	}
	if n := tab.reads.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
	if err := r.Fetch(t.Context(), names...); err != nil || tab.reads.Load() != 1 {
		t.Errorf("fetched again: %d reads, %v", tab.reads.Load(), err)
	}
}
