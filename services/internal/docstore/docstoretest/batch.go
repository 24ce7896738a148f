package docstoretest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/internal/docstore"
)

func testBatch(t *testing.T, s docstore.Store, f Features) {
	if err := s.Apply(t.Context(), docstore.Batch{}); err != nil {
		t.Fatal(err)
	}
	// In order, one id several times.
	apply(t, s, put("plain", "a", 1, `{"v":1}`), put("plain", "a", 2, `{"v":2}`), del("plain", "a", 3), put("plain", "a", 4, `{"v":4}`))
	wantDoc(t, s, "plain", "a", 4, `{"v":4}`)
	// An older one behind a newer, after one without a guard.
	apply(t, s, put("plain", "b", 0, `{"v":0}`), put("plain", "b", 14, `{"v":14}`), put("plain", "c", 9, `{"v":9}`), put("plain", "b", 5, `{"v":5}`))
	wantDoc(t, s, "plain", "b", 14, `{"v":14}`)
	apply(t, s, del("plain", "b", 0), del("plain", "c", 0))
	var ops []docstore.Op
	for i := range f.MaxBatch {
		ops = append(ops, put("plain", fmt.Sprintf("n%04d", i), uint64(i+1), `{"i":%d}`, i))
	}
	for range 2 {
		apply(t, s, ops...)
		n, err := s.Count(t.Context(), "plain", "all", nil, 0)
		if err != nil || n != int64(f.MaxBatch)+1 {
			t.Fatalf("count = %d, %v, want %d", n, err, f.MaxBatch+1)
		}
	}
	again := put("plain", "a", 9, `{}`)
	again.Create = true
	b := docstore.Batch{
		Ops:         []docstore.Op{put("plain", "before", 1, `{}`), again, put("plain", "after", 1, `{}`)},
		Checkpoints: []docstore.Checkpoint{{Name: "failing", Seq: 9}},
	}
	wantErr(t, s.Apply(t.Context(), b), docstore.ErrExists)
	wantDoc(t, s, "plain", "after", 0, "")
	if f.Atomic {
		wantDoc(t, s, "plain", "before", 0, "")
	}
	if seq, err := s.Checkpoint(t.Context(), "failing", 0); err != nil || seq != 0 {
		t.Fatalf("checkpoint of a failed batch = %d, %v", seq, err)
	}
}

func testCheckpoint(t *testing.T, s docstore.Store, _ Features) {
	want := func(name string, part int, seq uint64) {
		t.Helper()
		if got, err := s.Checkpoint(t.Context(), name, part); err != nil || got != seq {
			t.Fatalf("checkpoint %s %d = %d, %v, want %d", name, part, got, err, seq)
		}
	}
	set := func(cps ...docstore.Checkpoint) {
		t.Helper()
		if err := s.Apply(t.Context(), docstore.Batch{Checkpoints: cps}); err != nil {
			t.Fatal(err)
		}
	}
	want("p", 0, 0)
	set(docstore.Checkpoint{Name: "p", Partition: 0, Seq: 5}, docstore.Checkpoint{Name: "p", Partition: 3, Seq: 7},
		docstore.Checkpoint{Name: "q.r", Partition: 0, Seq: 1})
	want("p", 0, 5)
	want("p", 3, 7)
	set(docstore.Checkpoint{Name: "p", Partition: 0, Seq: 4})
	want("p", 0, 5)
	set(docstore.Checkpoint{Name: "p", Partition: 0, Seq: 6})
	want("p", 0, 6)
	if err := s.DropCheckpoints(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	want("p", 0, 0)
	want("p", 3, 0)
	want("q.r", 0, 1)
	set(docstore.Checkpoint{Name: "p", Partition: 0, Seq: 2})
	want("p", 0, 2)
}

func testScan(t *testing.T, s docstore.Store, f Features) {
	want := []string{}
	for i := 0; i < 450; i += 45 {
		var ops []docstore.Op
		for j := i; j < i+45; j++ {
			id := fmt.Sprintf("s%04d", j)
			ops, want = append(ops, put("plain", id, 1, `{}`)), append(want, id)
		}
		apply(t, s, ops...)
	}
	apply(t, s, del("plain", "s0000", 2))
	got := []string{}
	err := s.Scan(t.Context(), "plain", func(d docstore.Doc) error {
		got = append(got, d.ID)
		return s.Apply(context.WithoutCancel(t.Context()), docstore.Batch{Ops: []docstore.Op{put("plain", d.ID, 3, `{"seen":1}`)}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], got); diff != "" {
		t.Fatalf("scan (-want +got):\n%s", diff)
	}
	stop := errors.New("stop")
	wantErr(t, s.Scan(t.Context(), "plain", func(docstore.Doc) error { return stop }), stop)
}

func testDrop(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("notes", "a", 5, `{"tenant":"t","title":"hello"}`), put("plain", "p", 1, `{}`))
	for range 2 {
		if err := s.Drop(t.Context(), "notes"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Get(t.Context(), "notes", "a")
	wantSomeErr(t, err)
	if err := s.Declare(t.Context(), Notes()); err != nil {
		t.Fatal(err)
	}
	wantDoc(t, s, "notes", "a", 0, "")
	wantSearch(t, s, "hello", nil)
	apply(t, s, put("notes", "a", 1, `{"tenant":"t","title":"hello"}`))
	wantDoc(t, s, "notes", "a", 1, `{"tenant":"t","title":"hello"}`)
	wantDoc(t, s, "plain", "p", 1, `{}`)
}

func testCancelled(t *testing.T, s docstore.Store, _ Features) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, s.Apply(ctx, docstore.Batch{Ops: []docstore.Op{put("plain", "a", 1, `{}`)}}), context.Canceled)
	_, err := s.Get(ctx, "plain", "a")
	wantErr(t, err, context.Canceled)
	_, err = s.List(ctx, "plain", docstore.Query{Index: "all", Limit: 1})
	wantErr(t, err, context.Canceled)
	wantDoc(t, s, "plain", "a", 0, "")
}
