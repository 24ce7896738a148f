package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

func openGroup(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "g.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Declare(t.Context(), docstore.Collection{Name: "things"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func create(id string) docstore.Batch {
	return docstore.Batch{Ops: []docstore.Op{{Collection: "things", Doc: docstore.Doc{ID: id, JSON: []byte(`{}`)}, Create: true}}}
}

// Callers at the same time share transactions; each still gets its own answer.
func TestARefusedBatchHarmsItselfAlone(t *testing.T) {
	t.Parallel()
	s := openGroup(t)
	if err := s.Apply(t.Context(), create("taken")); err != nil {
		t.Fatal(err)
	}
	const n = 200
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			b := create(fmt.Sprintf("new%d", i))
			if i%5 == 0 { // whole or not at all
				b.Ops = append(b.Ops, create("taken").Ops...)
			}
			errs[i] = s.Apply(t.Context(), b)
		})
	}
	all.Wait()
	for i, err := range errs {
		_, getErr := s.Get(t.Context(), "things", fmt.Sprintf("new%d", i))
		switch {
		case i%5 == 0 && (!errors.Is(err, docstore.ErrExists) || !errors.Is(getErr, docstore.ErrNotFound)):
			t.Errorf("batch %d: %v, then %v", i, err, getErr)
		case i%5 != 0 && (err != nil || getErr != nil):
			t.Errorf("batch %d: %v, then %v", i, err, getErr)
		}
	}
}

// A caller who gives up knows: either nothing was written or it was all written.
func TestAnEndedContextDecides(t *testing.T) {
	t.Parallel()
	s := openGroup(t)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { cancel(); close(ended) }()
			err := s.Apply(ctx, create(fmt.Sprintf("c%d", i)))
			<-ended
			_, getErr := s.Get(t.Context(), "things", fmt.Sprintf("c%d", i))
			if (err == nil) != (getErr == nil) {
				t.Errorf("caller %d: %v, then %v", i, err, getErr)
			}
		})
	}
	all.Wait()
}
