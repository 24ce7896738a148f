package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// watched sees what is loaded of a store.
type watched struct {
	*eventstore.Memory
	whole  atomic.Int64 // loads from the first commit on
	commit func(n int)  // before the n-th commit of a load
}

func (w *watched) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[eventstore.Commit, error] {
	if after == 0 {
		w.whole.Add(1)
	}
	return func(yield func(eventstore.Commit, error) bool) {
		n := 0
		for c, err := range w.Memory.Load(ctx, tenant, stream, after) {
			n++
			if w.commit != nil {
				w.commit(n)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// told is a store with n messages of one customer and no snapshot.
func told(t *testing.T, n int) *watched {
	t.Helper()
	store := eventstore.NewMemory(1)
	r := aggregate.New(aggregate.Config{Now: fixed}, aggregate.Customer(customer.DefaultBounds), store, nil, quiet)
	for i := range n {
		c := message(fmt.Sprint("m", i), "c", start)
		c.RecalledTo = 1 << 60
		if _, err := r.Execute(t.Context(), "t", "a", turn(c)); err != nil {
			t.Fatal(err)
		}
	}
	return &watched{Memory: store}
}

func customers(store *watched) *aggregate.Repository[customer.State] {
	return aggregate.New(aggregate.Config{Now: fixed}, aggregate.Customer(customer.DefaultBounds), store, store, quiet)
}

// TestAFoldIsDoneOnce: whoever loads a long stream leaves a snapshot, although
// nothing is appended, and those who come meanwhile do not fold it too.
func TestAFoldIsDoneOnce(t *testing.T) {
	t.Parallel()
	store := told(t, 500)
	r := customers(store)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if s, err := r.Load(t.Context(), "t", "a"); err != nil || s.Conversations[0].Version != 500 {
				t.Errorf("loaded %+v, %v", s, err)
			}
		})
	}
	all.Wait()
	if _, err := customers(store).Load(t.Context(), "t", "a"); err != nil {
		t.Fatal(err)
	}
	if n := store.whole.Load(); n != 1 {
		t.Errorf("the stream was read from its beginning %d times", n)
	}
}

// TestAFoldThatIsGivenUpIsNotInVain: the next one goes on where it was.
func TestAFoldThatIsGivenUpIsNotInVain(t *testing.T) {
	t.Parallel()
	store := told(t, 10_100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	store.commit = func(n int) {
		if n == 10_050 {
			cancel()
		}
	}
	if _, err := customers(store).Load(ctx, "t", "a"); !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %v", err)
	}
	most := 0
	store.commit = func(n int) { most = max(most, n) }
	s, err := customers(store).Load(t.Context(), "t", "a")
	if err != nil || s.Conversations[0].Version != 10_100 {
		t.Fatalf("loaded %+v, %v", s.Conversations, err)
	}
	if store.whole.Load() != 1 || most > 100 {
		t.Errorf("%d commits were folded again", most)
	}
}
