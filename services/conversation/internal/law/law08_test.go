package law_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// TestLaw08AnyInterleavingShowsTheSame: the real read models, fed with the
// partitions of histories full of moves and erasures in any interleaving, are
// the same documents; and so are those of a prefix, whatever came later.
func TestLaw08AnyInterleavingShowsTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		w := newWorld(t, randomSource{rnd}, faults{})
		w.run(60)
		cut := w.ends()
		early := w.digest(t, rnd, cut)
		w.finish()
		if late := w.digest(t, rnd, cut); w.erasures == nil && late != early {
			t.Errorf("history %d: documents of the first commits changed", seed)
		}
		end := w.ends()
		first := w.digest(t, rnd, end)
		for range 2 {
			if again := w.digest(t, rnd, end); again != first {
				t.Fatalf("history %d: another interleaving, other documents\n%s", seed, w.report())
			}
		}
	}
}

// ends are the last sequence of every partition.
func (w *world) ends() (out []uint64) {
	for p := range w.store.Partitions() {
		seq, err := w.store.Head(context.Background(), p)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, seq)
	}
	return out
}

// digest projects the log up to a cut in an interleaving drawn now.
func (w *world) digest(t *testing.T, rnd *rand.Rand, upTo []uint64) [32]byte {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := readmodel.NewProjector(t.Context(), db, w.keys, codec.Decode, 1, w.store.Partitions())
	if err != nil {
		t.Fatal(err)
	}
	at := make([]uint64, len(upTo))
	for open := true; open; {
		open = false
		for _, i := range rnd.Perm(len(upTo)) {
			at[i] = min(upTo[i], at[i]+uint64(rnd.IntN(4)))
			if err := readmodel.CatchUp(t.Context(), w.store, p, i, at[i], nil); err != nil {
				t.Fatal(err)
			}
			open = open || at[i] < upTo[i]
		}
	}
	sum, n, err := readmodel.Digest(t.Context(), db, p.Names(), w.keys)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	return sum
}
