package projection_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/pkg/projection"
)

// log is a sink that remembers what it was given, and fails or blocks on demand.
type log struct {
	name   string
	before func(partition int, commits []eventstore.Commit) error // of Apply

	mu      sync.Mutex
	ids     map[int][]string
	at      map[int]uint64
	batches []int
}

func newLog(name string) *log {
	return &log{name: name, ids: map[int][]string{}, at: map[int]uint64{}}
}

func (l *log) Name() string { return l.name }

func (l *log) Checkpoint(_ context.Context, partition int) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at[partition], nil
}

func (l *log) Apply(_ context.Context, partition int, commits []eventstore.Commit) error {
	if l.before != nil {
		if err := l.before(partition, commits); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range commits {
		l.ids[partition] = append(l.ids[partition], c.ID)
		l.at[partition] = c.Seq
	}
	l.batches = append(l.batches, len(commits))
	return nil
}

// start runs a runner until the test ends.
func start(t *testing.T, cfg projection.Config, store eventstore.Store, sinks ...projection.Sink) (*projection.Runner, func()) {
	t.Helper()
	r, err := projection.New(cfg, store, sinks...)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// write appends n commits, one stream each, and says what every partition holds now.
func write(t *testing.T, store eventstore.Store, round string, n int) map[int][]string {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s-%d", round, i)
		if r := store.Append(t.Context(), eventstoretest.Make("customer."+id, id, 0))[0]; r.Err != nil {
			t.Fatalf("Append = %v", r.Err)
		}
	}
	all := map[int][]string{}
	for p := range store.Partitions() {
		commits, err := store.Read(t.Context(), p, 0, 1<<20)
		if err != nil {
			t.Fatalf("Read = %v", err)
		}
		for _, c := range commits {
			all[p] = append(all[p], c.ID)
		}
	}
	return all
}

func (l *log) mustHold(t *testing.T, want map[int][]string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.ids); diff != "" {
		t.Errorf("sink %s (-want +got):\n%s", l.name, diff)
	}
}

func catchUp(t *testing.T, r *projection.Runner, sinks ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // fake time
	defer cancel()
	if err := r.CatchUp(ctx, sinks...); err != nil {
		t.Fatalf("CatchUp = %v", err)
	}
}

func TestSinksGetEveryCommitOnceInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(3)
		write(t, store, "past", 50)
		a, b := newLog("a"), newLog("b")
		r, stop := start(t, projection.Config{MaxCatchUp: 7}, store, a, b)
		catchUp(t, r)
		want := write(t, store, "live", 50)
		catchUp(t, r)
		a.mustHold(t, want)
		b.mustHold(t, want)
		stop()

		c := newLog("c") // new beside an old one that stopped for a while
		want = write(t, store, "away", 10)
		r, _ = start(t, projection.Config{}, store, a, c)
		catchUp(t, r)
		a.mustHold(t, want)
		c.mustHold(t, want)
	})
}

func TestSlowSinkBlocksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(2)
		release := make(chan struct{})
		slow, fast := newLog("slow"), newLog("fast")
		slow.before = func(int, []eventstore.Commit) error { <-release; return nil }
		r, _ := start(t, projection.Config{Window: 4, MaxBatch: 3}, store, slow, fast)
		catchUp(t, r)
		want := write(t, store, "live", 100)
		catchUp(t, r, "fast")
		fast.mustHold(t, want)
		var behind uint64
		for _, lag := range r.Lags() {
			if lag.Sink == "slow" {
				behind += lag.Head - lag.Applied
			} else if lag.Head != lag.Applied {
				t.Errorf("lag of the fast sink: %+v", lag)
			}
		}
		if behind < 100 {
			t.Errorf("slow sink lags by %d sequences, want at least 100", behind)
		}
		close(release)
		catchUp(t, r)
		slow.mustHold(t, want)
	})
}

func TestBatchesTakeWhatIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(1)
		entered, release := make(chan struct{}, 1000), make(chan struct{})
		sink := newLog("s")
		sink.before = func(int, []eventstore.Commit) error { entered <- struct{}{}; <-release; return nil }
		r, _ := start(t, projection.Config{MaxBatch: 40}, store, sink)
		catchUp(t, r)
		write(t, store, "first", 1)
		<-entered
		write(t, store, "then", 100)
		synctest.Wait() // the reader has all of them
		close(release)
		catchUp(t, r)
		if diff := cmp.Diff([]int{1, 40, 40, 20}, sink.batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

func TestFailingSinkIsRetriedFromItsCheckpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(1)
		broken := errors.New("parser bug")
		fixed := make(chan struct{})
		bad, good := newLog("bad"), newLog("good")
		bad.before = func(_ int, commits []eventstore.Commit) error {
			select {
			case <-fixed:
				return nil
			default:
			}
			if slices.ContainsFunc(commits, func(c eventstore.Commit) bool { return c.ID == "x-13" }) {
				return broken
			}
			return nil
		}
		var mu sync.Mutex
		var failures []projection.Failure
		cfg := projection.Config{MinBackoff: time.Second, MaxBackoff: time.Minute, OnFailure: func(f projection.Failure) {
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, f)
		}}
		want := write(t, store, "x", 20)
		r, _ := start(t, cfg, store, bad, good)
		catchUp(t, r, "good")
		good.mustHold(t, want)

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := r.CatchUp(ctx, "bad"); !errors.Is(err, broken) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("CatchUp of a failing sink = %v, want its failure", err)
		}
		bad.mustHold(t, map[int][]string{0: want[0][:13]})
		mu.Lock()
		last := failures[len(failures)-1]
		n := len(failures)
		mu.Unlock()
		if last.Sink != "bad" || last.Commits != 1 || !errors.Is(last.Err, broken) || last.Attempt < 5 {
			t.Errorf("last failure = %+v, want the bad commit alone", last)
		}
		if n > 30 {
			t.Errorf("%d attempts in ten minutes: no backoff", n)
		}
		close(fixed)
		catchUp(t, r)
		bad.mustHold(t, want)
		for _, lag := range r.Lags() {
			if lag.Err != nil {
				t.Errorf("recovered, but %+v", lag)
			}
		}
	})
}

// flaky fails every other call.
type flaky struct {
	eventstore.Store
	mu    sync.Mutex
	calls int
}

func (f *flaky) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return f.calls%2 == 1
}

var errNet = errors.New("connection lost")

func (f *flaky) Read(ctx context.Context, p int, from uint64, limit int) ([]eventstore.Commit, error) {
	if f.fails() {
		return nil, errNet
	}
	return f.Store.Read(ctx, p, from, limit)
}

func (f *flaky) Follow(ctx context.Context, p int, after uint64) iter.Seq2[eventstore.Commit, error] {
	return func(yield func(eventstore.Commit, error) bool) {
		n := 0
		for c, err := range f.Store.Follow(ctx, p, after) {
			if n++; n == 5 {
				yield(eventstore.Commit{}, errNet)
				return
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (f *flaky) Head(ctx context.Context, p int) (uint64, error) {
	if f.fails() {
		return 0, errNet
	}
	return f.Store.Head(ctx, p)
}

func TestRunnerOutlivesAFlakyStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(2)
		write(t, store, "past", 30)
		sink := newLog("s")
		r, _ := start(t, projection.Config{MaxCatchUp: 4}, &flaky{Store: store}, sink)
		want := write(t, store, "live", 30)
		for p, ids := range want {
			commits, err := store.Read(t.Context(), p, 0, len(ids))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.WaitFor(t.Context(), "s", p, commits[len(ids)-1].Seq); err != nil {
				t.Fatalf("WaitFor = %v", err)
			}
		}
		sink.mustHold(t, want)
	})
}

// erased claims a head whose commits are gone.
type erased struct{ eventstore.Store }

func (e erased) Head(ctx context.Context, p int) (uint64, error) {
	h, err := e.Store.Head(ctx, p)
	return h + 10, err
}

func TestCatchUpPassesAnErasedEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(2)
		want := write(t, store, "past", 9)
		sink := newLog("s")
		r, _ := start(t, projection.Config{}, erased{store}, sink)
		catchUp(t, r)
		sink.mustHold(t, want)
		if err := projection.Replay(t.Context(), erased{store}, newLog("replayed")); err != nil {
			t.Errorf("Replay = %v", err)
		}
	})
}

func TestCheckpointBeyondTheLogIsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(1)
		write(t, store, "past", 3)
		sink := newLog("s")
		sink.at[0] = 1000
		r, _ := start(t, projection.Config{}, store, sink)
		synctest.Wait()
		if lag := r.Lags()[0]; lag.Err == nil {
			t.Errorf("lag = %+v, want an error", lag)
		}
		sink.mustHold(t, map[int][]string{})
	})
}

func TestWaitingEndsWithTheRunner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, stop := start(t, projection.Config{}, eventstore.NewMemory(1), newLog("s"))
		got := make(chan error)
		go func() { got <- r.WaitFor(t.Context(), "s", 0, 5) }()
		synctest.Wait()
		stop()
		if err := <-got; !errors.Is(err, projection.ErrStopped) {
			t.Errorf("WaitFor = %v, want ErrStopped", err)
		}
		if err := r.WaitFor(t.Context(), "unheard", 0, 1); err == nil {
			t.Error("WaitFor of no sink: no error")
		}
		if err := r.CatchUp(t.Context(), "unheard"); err == nil {
			t.Error("CatchUp of no sink: no error")
		}
		if _, err := projection.New(projection.Config{}, eventstore.NewMemory(1), newLog("s"), newLog("s")); err == nil {
			t.Error("New with one name twice: no error")
		}
	})
}

func TestLiveBeginsAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := eventstore.NewMemory(2)
		write(t, store, "past", 10)
		var mu sync.Mutex
		var got []string
		failed := false
		live := projection.Live("live", store, func(_ context.Context, _ int, commits []eventstore.Commit) error {
			mu.Lock()
			defer mu.Unlock()
			if !failed {
				failed = true
				return errNet
			}
			for _, c := range commits {
				got = append(got, c.ID)
			}
			return nil
		})
		r, _ := start(t, projection.Config{}, store, live)
		catchUp(t, r)
		write(t, store, "live", 4)
		catchUp(t, r)
		slices.Sort(got)
		if diff := cmp.Diff([]string{"live-0", "live-1", "live-2", "live-3"}, got); diff != "" {
			t.Errorf("live (-want +got):\n%s", diff)
		}
	})
}

func TestReplayEqualsFollowing(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(3)
	want := write(t, store, "past", 100)
	sink := newLog("s")
	if err := projection.Replay(t.Context(), store, sink); err != nil {
		t.Fatalf("Replay = %v", err)
	}
	sink.mustHold(t, want)
	want = write(t, store, "more", 10)
	if err := projection.Replay(t.Context(), store, sink); err != nil {
		t.Fatalf("Replay = %v", err)
	}
	sink.mustHold(t, want)
	sink.before = func(int, []eventstore.Commit) error { return errNet }
	write(t, store, "bad", 10)
	if err := projection.Replay(t.Context(), store, sink); !errors.Is(err, errNet) {
		t.Errorf("Replay = %v, want the sink's error", err)
	}
}
