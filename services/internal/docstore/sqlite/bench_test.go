package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

var timeline = docstore.Collection{
	Name: "timeline",
	Indexes: []docstore.Index{
		{Name: "by_customer", Prefix: []string{"tenant", "customer"}, Sort: "at"},
		{Name: "by_status", Prefix: []string{"tenant", "status"}, Sort: "at"},
	},
}

var filler = strings.Repeat("lorem ipsum dolor ", 50)

// entry is about 1 KB, one of a customer with up to 200.
func entry(i int, seq uint64) docstore.Op {
	return docstore.Op{Collection: "timeline", Doc: docstore.Doc{ID: fmt.Sprintf("%08d", i*7919%1_000_003), Seq: seq, JSON: fmt.Appendf(nil,
		`{"tenant":"t1","customer":"c%05d","status":"s%d","at":%d,"body":%q}`, i/200, i%5, 1_700_000_000_000+i, filler)}}
}

func fill(b *testing.B, n int) *sqlite.Store {
	s := open(b, sqlite.Options{})
	if err := s.Declare(b.Context(), timeline); err != nil {
		b.Fatal(err)
	}
	err := s.Bulk(b.Context(), func(ctx context.Context, bulk *sqlite.Bulk) error {
		for i := 0; i < n; i += 100 {
			var ops []docstore.Op
			for j := i; j < i+100; j++ {
				ops = append(ops, entry(j, uint64(j+1)))
			}
			if err := bulk.Apply(ctx, docstore.Batch{Ops: ops, Checkpoints: []docstore.Checkpoint{{Name: "p", Seq: uint64(i)}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// measure reports the median and the 99th percentile beside the mean.
func measure(b *testing.B, fn func(i int) error) {
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if err := fn(i); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkStore(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("docs=%d", n), func(b *testing.B) {
			start := time.Now()
			s := fill(b, n)
			b.Logf("filled %d in %v, %.0f documents/s", n, time.Since(start).Round(time.Millisecond), float64(n)/time.Since(start).Seconds())
			ctx := b.Context()
			b.Run("Get", func(b *testing.B) {
				measure(b, func(int) error {
					_, err := s.Get(ctx, "timeline", entry(rand.IntN(n), 1).Doc.ID)
					return err
				})
			})
			b.Run("GetMany50", func(b *testing.B) {
				measure(b, func(int) error {
					ids := make([]string, 50)
					for i := range ids {
						ids[i] = entry(rand.IntN(n), 1).Doc.ID
					}
					_, err := s.GetMany(ctx, "timeline", ids...)
					return err
				})
			})
			b.Run("List50", func(b *testing.B) {
				measure(b, func(int) error {
					q := docstore.Query{Index: "by_customer", Prefix: []any{"t1", fmt.Sprintf("c%05d", rand.IntN(n/200))}, Desc: true, Limit: 50}
					items, err := s.List(ctx, "timeline", q)
					if err == nil && len(items) != 50 {
						err = fmt.Errorf("%d items", len(items))
					}
					return err
				})
			})
			b.Run("Put", func(b *testing.B) {
				measure(b, func(i int) error {
					return s.Apply(ctx, docstore.Batch{Ops: []docstore.Op{entry(rand.IntN(n), uint64(n+i+1))}})
				})
			})
			b.Run("Batch50", func(b *testing.B) {
				measure(b, func(i int) error {
					var ops []docstore.Op
					for range 50 {
						ops = append(ops, entry(rand.IntN(n), uint64(10*n+i+1)))
					}
					return s.Apply(ctx, docstore.Batch{Ops: ops})
				})
			})
			b.Run("Count", func(b *testing.B) {
				measure(b, func(int) error {
					_, err := s.Count(ctx, "timeline", "by_status", []any{"t1", "s1"}, 1000)
					return err
				})
			})
		})
	}
}
