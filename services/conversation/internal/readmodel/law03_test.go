package readmodel_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"pgregory.net/rapid"
)

const partitions = 3

// generations numbers the collections of every case, so that one file serves all.
var generations atomic.Int64

func nextGeneration() int { return int(generations.Add(1)) }

func openStore(tb testing.TB) docstore.Store {
	tb.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(tb.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Wipe the projections and build them again, in whatever interleaving of
// partitions and batches, through crashes that leave half a batch behind and
// replays of what was applied before: the documents are the same.
func TestLaw03RebuildEquals(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		h := historytest.New(partitions, keys)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			h.Step(t)
			if rapid.IntRange(0, 2).Draw(t, "tied") == 0 {
				h.Tie(t)
			}
		}
		want := build(t, h, store, keys, func(torn *torn, n int) int { return 5000 })
		got := build(t, h, store, keys, func(torn *torn, left int) int {
			if rapid.IntRange(0, 2).Draw(t, "crash") == 0 {
				torn.after = rapid.IntRange(0, 40).Draw(t, "written")
			}
			if rapid.IntRange(0, 3).Draw(t, "replay") == 0 {
				torn.back = uint64(rapid.IntRange(1, 30).Draw(t, "back"))
			}
			return rapid.IntRange(1, 12).Draw(t, "batch")
		})
		if d := cmp.Diff(documents(t, store, keys, want), documents(t, store, keys, got)); d != "" {
			t.Fatalf("rebuilt documents differ (-straight +torn):\n%s", d)
		}
		a, _, err := readmodel.Digest(t.Context(), store, want, keys)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := readmodel.Digest(t.Context(), store, got, keys)
		if err != nil {
			t.Fatal(err)
		}
		if a != b {
			t.Fatal("digests differ although the documents do not")
		}
		mustCount(t, h, store, got)
		mustKnowPersons(t, h, store, keys, got)
		for _, n := range []readmodel.Names{want, got} { // a schema that grows would slow the cases down
			if err := readmodel.DropGeneration(t.Context(), store, n); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// build projects the whole history, partitions in random turns; plan is asked
// before every batch for its size and may arm a crash or a replay.
func build(t *rapid.T, h *historytest.History, store docstore.Store, keys readmodel.Keys, plan func(*torn, int) int) readmodel.Names {
	gen := nextGeneration()
	torn := &torn{Store: store, after: -1}
	p := open(t, torn, keys, gen)
	for {
		var behind []int
		for i := range partitions {
			if head, _ := h.Store.Head(t.Context(), i); p.Applied(i) < head {
				behind = append(behind, i)
			}
		}
		if len(behind) == 0 {
			return p.Names()
		}
		partition := rapid.SampledFrom(behind).Draw(t, "partition")
		size := plan(torn, 0)
		if torn.back > 0 { // another process begins with an old checkpoint
			p = open(t, torn, keys, gen)
			torn.back = 0
		}
		commits, err := h.Store.Read(t.Context(), partition, p.Applied(partition)+1, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(t.Context(), partition, commits); errors.Is(err, errCrash) {
			p = open(t, torn, keys, gen)
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *rapid.T, store docstore.Store, keys readmodel.Keys, gen int) *readmodel.Projector {
	p, err := readmodel.NewProjector(t.Context(), store, keys, codec.Decode, gen, partitions)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var errCrash = errors.New("crash")

// torn writes like an engine without transactions: operations one by one, then
// the checkpoint, and it can stop anywhere.
type torn struct {
	docstore.Store
	after int    // crash after so many operations of the next batch; < 0 never
	back  uint64 // the next checkpoints read are older by so much
}

func (s *torn) Apply(ctx context.Context, b docstore.Batch) error {
	after := s.after
	s.after = -1
	if after >= 0 && after < len(b.Ops) {
		if err := s.Store.Apply(ctx, docstore.Batch{Ops: b.Ops[:after]}); err != nil {
			return err
		}
		return errCrash
	}
	if after < 0 {
		return s.Store.Apply(ctx, b)
	}
	if err := s.Store.Apply(ctx, docstore.Batch{Ops: b.Ops}); err != nil {
		return err
	}
	return errCrash // all written, the checkpoint not
}

func (s *torn) Checkpoint(ctx context.Context, name string, partition int) (uint64, error) {
	seq, err := s.Store.Checkpoint(ctx, name, partition)
	return seq - min(seq, s.back), err
}

// documents are all documents by collection (without generation) and id.
func documents(t *rapid.T, s docstore.Store, keys readmodel.Keys, n readmodel.Names) map[string]string {
	out := map[string]string{}
	for i, collection := range n.All() {
		err := s.Scan(t.Context(), collection, func(d docstore.Doc) error {
			body, err := readmodel.Canonical(t.Context(), n, collection, d, keys)
			out[fmt.Sprintf("%d/%s", i, d.ID)] = fmt.Sprintf("%d %s", d.Seq, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// mustCount compares the counters with a count of the rows.
func mustCount(t *rapid.T, h *historytest.History, s docstore.Store, n readmodel.Names) {
	var sum, want readmodel.Counts
	for i := range partitions {
		d, err := s.Get(t.Context(), n.Counts, readmodel.CountsID(i))
		if errors.Is(err, docstore.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var c readmodel.Counts
		decodeJSON(t, d.JSON, &c)
		sum.Add(c)
	}
	err := s.Scan(t.Context(), n.Conversations, func(d docstore.Doc) error {
		var c readmodel.Conversation
		decodeJSON(t, d.JSON, &c)
		one := readmodel.Counts{ByStatus: map[string]int64{c.Status: 1}}
		if c.Status == readmodel.StatusOpen {
			one.OpenByAssignee, one.OpenByInbox = map[string]int64{c.Assignee: 1}, map[string]int64{c.Inbox: 1}
		}
		want.Add(one)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, sum); d != "" {
		t.Fatalf("counters do not count the rows (-rows +counters):\n%s", d)
	}
}
