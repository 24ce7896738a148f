package projection_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/pkg/projection"
)

// nothing is a sink that costs nothing, so that the runner's own cost shows.
type nothing struct{ name string }

func (n nothing) Name() string                                          { return n.name }
func (n nothing) Checkpoint(context.Context, int) (uint64, error)       { return 0, nil }
func (n nothing) Apply(context.Context, int, []eventstore.Commit) error { return nil }

// Commits through the runner into three sinks, appended while it runs.
func BenchmarkRunner(b *testing.B) {
	store := eventstore.NewMemory(4)
	r, err := projection.New(projection.Config{}, store, nothing{"a"}, nothing{"b"}, nothing{"c"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	n := 0
	for b.Loop() {
		n++
		if res := store.Append(ctx, eventstoretest.Make(fmt.Sprintf("customer.c%d", n), "a", 0))[0]; res.Err != nil {
			b.Fatal(res.Err)
		}
	}
	if err := r.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "commits/s")
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
