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

func TestBulk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openAt(t, path, sqlite.Options{})
	declare(t, s)
	failed := errors.New("failed")
	err := s.Bulk(t.Context(), func(ctx context.Context, b *sqlite.Bulk) error {
		for i := range uint64(12_000) {
			batch := docstore.Batch{
				Ops:         []docstore.Op{put(fmt.Sprint("d", i%3000), i+1, fmt.Sprintf(`{"tenant":"t","at":%d}`, i))},
				Checkpoints: []docstore.Checkpoint{{Name: "p", Seq: i + 1}},
			}
			if err := b.Apply(ctx, batch); err != nil {
				return err
			}
		}
		// Own writes are seen before they are committed.
		if d, err := b.Get(ctx, "notes", "d2999"); err != nil || d.Seq != 12_000 {
			return fmt.Errorf("own write: %v, %w", d, err)
		}
		if seq, err := b.Checkpoint(ctx, "p", 0); err != nil || seq != 12_000 {
			return fmt.Errorf("own checkpoint: %d, %w", seq, err)
		}
		page, err := b.List(ctx, "notes", docstore.Query{Index: "by_at", Desc: true, Limit: 1})
		if err != nil || len(page) != 1 || page[0].ID != "d2999" {
			return fmt.Errorf("own list: %v, %w", page, err)
		}
		// A batch that fails leaves nothing of itself and everything before it.
		bad := put("d0", 1, `{}`)
		bad.Create = true
		err = b.Apply(ctx, docstore.Batch{Ops: []docstore.Op{put("half", 1, `{}`), bad}})
		if !errors.Is(err, docstore.ErrExists) {
			return fmt.Errorf("failing batch: %w", err)
		}
		if _, err := b.Get(ctx, "notes", "half"); !errors.Is(err, docstore.ErrNotFound) {
			return fmt.Errorf("half a batch: %w", err)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	seq, err := s.Checkpoint(t.Context(), "p", 0)
	n, err2 := s.Count(t.Context(), "notes", "by_at", nil, 0)
	if err := errors.Join(err, err2); err != nil || seq != 12_000 || n != 3000 {
		t.Fatalf("checkpoint %d, %d documents, %v", seq, n, err)
	}
}

// TestBulkBesideWriters: partitions rebuild side by side while others write; nothing is lost or half.
func TestBulkBesideWriters(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	declare(t, s)
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			write := func(ctx context.Context, apply func(context.Context, docstore.Batch) error) error {
				for i := range uint64(500) {
					ops := []docstore.Op{put(fmt.Sprintf("p%d-%d", p, i), i+1, fmt.Sprintf(`{"tenant":"p%d","at":%d}`, p, i))}
					if err := apply(ctx, docstore.Batch{Ops: ops, Checkpoints: []docstore.Checkpoint{{Name: "p", Partition: p, Seq: i + 1}}}); err != nil {
						return err
					}
				}
				return nil
			}
			var err error
			if p < 3 {
				err = s.Bulk(t.Context(), func(ctx context.Context, b *sqlite.Bulk) error { return write(ctx, b.Apply) })
			} else {
				err = write(t.Context(), s.Apply)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for p := range 4 {
		seq, err := s.Checkpoint(t.Context(), "p", p)
		n, err2 := s.Count(t.Context(), "notes", "by_tenant", []any{fmt.Sprint("p", p)}, 0)
		if err := errors.Join(err, err2); err != nil || seq != 500 || n != 500 {
			t.Errorf("partition %d: checkpoint %d, %d documents, %v", p, seq, n, err)
		}
	}
}

func BenchmarkBulkFill(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		fill(b, n)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "documents/s")
}
