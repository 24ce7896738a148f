package jetstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/pkg/projection"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/jetstore"
)

// counter counts the commits of every stream.
type counter struct {
	mu    sync.Mutex
	at    map[int]uint64
	count map[string]int
}

func newCounter() *counter      { return &counter{at: map[int]uint64{}, count: map[string]int{}} }
func (c *counter) Name() string { return "counter" }

func (c *counter) Checkpoint(_ context.Context, p int) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[p], nil
}

func (c *counter) Apply(_ context.Context, p int, commits []eventstore.Commit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, commit := range commits {
		if commit.Seq <= c.at[p] {
			return fmt.Errorf("commit %d comes after %d", commit.Seq, c.at[p])
		}
		c.at[p] = commit.Seq
		c.count[commit.Stream]++
	}
	return nil
}

// The runner on the real log: past, live, and after an erasure that purged a
// stream, the end of its partition included.
func TestProjectionFollowsTheLog(t *testing.T) {
	t.Parallel()
	js := startServer(t, t.TempDir()).js
	s := open(t, js, jetstore.Config{Partitions: 2})
	want := map[string]int{}
	fill := func(round string, n int) {
		for i := range 6 {
			stream := fmt.Sprintf("customer.%s%d", round, i)
			eventstoretest.Fill(t, s, stream, n)
			want[stream] = n
		}
	}
	fill("past", 20)
	follower := newCounter()
	r, err := projection.New(projection.Config{}, s, follower)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	fill("live", 20)
	if err := r.CatchUp(timeout(t)); err != nil {
		t.Fatalf("CatchUp = %v", err)
	}
	if diff := cmp.Diff(want, follower.count); diff != "" {
		t.Errorf("followed (-want +got):\n%s", diff)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}

	for i := range 8 { // enough to end both partitions
		stream := fmt.Sprintf("customer.gone%d", i)
		p := s.PartitionOf(eventstoretest.Tenant, stream)
		eventstoretest.Fill(t, s, stream, 3)
		evt, err := js.Stream(timeout(t), subject.EvtStream(p))
		if err != nil {
			t.Fatalf("Stream = %v", err)
		}
		if err := evt.Purge(timeout(t), jetstream.WithPurgeSubject(subject.Evt(p, eventstoretest.Tenant, stream))); err != nil {
			t.Fatalf("Purge = %v", err)
		}
	}
	rebuilt := newCounter()
	if err := projection.Replay(timeout(t), s, rebuilt); err != nil {
		t.Fatalf("Replay = %v", err)
	}
	if diff := cmp.Diff(want, rebuilt.count); diff != "" {
		t.Errorf("rebuilt (-want +got):\n%s", diff)
	}
	r, err = projection.New(projection.Config{}, s, follower)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	ctx, stop = context.WithCancel(t.Context())
	go func() { done <- r.Run(ctx) }()
	if err := r.CatchUp(timeout(t)); err != nil {
		t.Errorf("CatchUp past an erased end = %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}
