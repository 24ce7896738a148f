package aggregate_test

import (
	"fmt"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/fill"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/crypt"
)

// BenchmarkFold folds customers of more and more messages from their first
// commit on: what a change of the snapshots' form costs each stream once. It
// reports the time of a message and the size of the snapshot, which both must
// not grow.
func BenchmarkFold(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			store := eventstore.NewMemory(1)
			if _, _, err := fill.Write(b.Context(), store, crypt.NewMemory(), fill.Config{Conversations: 1, Long: n, Inbox: "i", Start: start}); err != nil {
				b.Fatal(err)
			}
			var bytes int
			for b.Loop() {
				store.DropSnapshots()
				r := aggregate.New(aggregate.Config{}, aggregate.Customer(customer.DefaultBounds), store, store, quiet)
				if err := r.Rest(b.Context(), subject.DefaultTenant, fill.Customer(0)); err != nil {
					b.Fatal(err)
				}
				snap, ok, err := store.LoadSnapshot(b.Context(), subject.DefaultTenant, r.Stream(fill.Customer(0)))
				if err != nil || !ok {
					b.Fatalf("no snapshot: %v", err)
				}
				bytes = len(snap.State)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "us/message")
			b.ReportMetric(float64(bytes), "snapshot-B")
		})
	}
}
