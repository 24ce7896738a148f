package projection_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/projection"
)

func TestPacedBatchesByTheBeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(1)
		sink := newLog("s")
		cost := time.Duration(0)
		sink.before = func(int, []eventstore.Commit) error { time.Sleep(cost); return nil }
		r, _ := start(t, projection.Config{}, store, projection.Paced(sink, 10*time.Millisecond))
		catchUp(t, r)
		time.Sleep(time.Second)

		began := time.Now()
		write(t, store, "first", 1)
		catchUp(t, r)
		if d := time.Since(began); d > time.Millisecond {
			t.Errorf("a commit after quiet waited %s", d)
		}
		write(t, store, "second", 3)
		synctest.Wait()
		write(t, store, "third", 4)
		catchUp(t, r)
		if d := time.Since(began); d > 10*time.Millisecond {
			t.Errorf("the next beat came after %s", d)
		}
		if diff := cmp.Diff([]int{1, 7}, sink.batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}

		time.Sleep(time.Second)
		cost = 8 * time.Millisecond
		began = time.Now()
		write(t, store, "fourth", 1)
		catchUp(t, r)
		write(t, store, "fifth", 1)
		catchUp(t, r)
		if d := time.Since(began); d < 35*time.Millisecond || d > 60*time.Millisecond {
			t.Errorf("after a batch of 8ms the next one ended after %s", d)
		}
	})
}

func TestPacedStopsWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(1)
		r, err := projection.New(projection.Config{}, store, projection.Paced(newLog("s"), time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		write(t, store, "one", 1)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
