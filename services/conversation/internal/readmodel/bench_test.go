package readmodel_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
)

// BenchmarkProjector replays a log of 1,000 customers with 20 messages each,
// in batches as they come live (500) and in a rebuild (1,000).
func BenchmarkProjector(b *testing.B) {
	keys := crypt.NewMemory()
	h := historytest.New(1, keys)
	for i := range 1000 {
		h.Meet(b, channel.Address{Kind: "email", Address: fmt.Sprintf("p%d@example.org", i), Name: "Person"}, "a subject", text)
	}
	for range 19 {
		for _, c := range h.Customers {
			h.Say(b, c, c.Conversations[0], c.Handles[0], text)
		}
	}
	commits, err := h.Store.Read(context.Background(), 0, 1, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	events := 0
	for _, c := range commits {
		events += len(c.Records)
	}
	for _, size := range []int{1, 50, 500, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			store := openStore(b)
			b.ReportAllocs()
			done := 0
			for b.Loop() {
				p, err := readmodel.NewProjector(b.Context(), store, keys, codec.Decode, nextGeneration(), 1)
				if err != nil {
					b.Fatal(err)
				}
				rest := commits
				if size == 1 {
					rest = rest[:2000]
				}
				for len(rest) > 0 {
					n := min(size, len(rest))
					if err := p.Apply(b.Context(), 0, rest[:n:n]); err != nil {
						b.Fatal(err)
					}
					for _, c := range rest[:n] {
						done += len(c.Records)
					}
					rest = rest[n:]
				}
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

const text = `Hello, I ordered a pair of blue shoes two weeks ago and nothing has come. ` +
	`The carrier says that it was never handed over. Could you please look, and tell me when I can expect it? Many thanks, Ada`
