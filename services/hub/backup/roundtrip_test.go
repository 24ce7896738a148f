package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/hub/backup"
)

// acked is what was acknowledged, and when.
type acked struct {
	mu      sync.Mutex
	inputs  []string
	commits map[string]eventstore.Result
}

func (a *acked) input(id string) { a.mu.Lock(); defer a.mu.Unlock(); a.inputs = append(a.inputs, id) }

func (a *acked) commit(r eventstore.Result, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits[id] = r
}

func (a *acked) copy() (inputs []string, commits map[string]eventstore.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	commits = map[string]eventstore.Result{}
	for k, v := range a.commits {
		commits[k] = v
	}
	return append([]string(nil), a.inputs...), commits
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// load runs a hub with writers on it, and a backup in the middle.
func load(t *testing.T, h *hub, f *far, dir string, quiesce bool) (inputs []string, commits map[string]eventstore.Result) {
	t.Helper()
	var writers errgroup.Group
	a := &acked{commits: map[string]eventstore.Result{}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var serving *errgroup.Group
	var pause context.CancelFunc
	serve := func() {
		var c context.Context
		c, pause = context.WithCancel(ctx)
		serving = &errgroup.Group{}
		serving.Go(func() error { return h.serve(c, f) })
	}
	serve()
	for i := range 3 {
		writers.Go(func() error { return h.mail(ctx, fmt.Sprintf("box%d", i), a.input) })
		writers.Go(func() error { return h.write(ctx, fmt.Sprintf("agent%d", i), a.commit) })
	}
	enough := func(n int) func() bool {
		return func() bool {
			in, c := a.copy()
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(in) >= n && len(c) >= n && len(f.sent) >= n/2
		}
	}
	await(t, "some history", enough(25))
	inputs, commits = a.copy()
	src := h.source()
	if quiesce {
		src.Quiesce = func(context.Context) (func(), error) {
			pause()
			err := serving.Wait()
			return serve, err
		}
	}
	if err := backup.Write(within(t), src, dir, t.Output()); err != nil {
		t.Fatal(err)
	}
	await(t, "the time after it", enough(len(inputs)+20))
	stop()
	if err := errors.Join(writers.Wait(), serving.Wait()); err != nil {
		t.Fatal(err)
	}
	return inputs, commits
}

func TestBackupWhileEverybodyWrites(t *testing.T) {
	t.Parallel()
	for name, quiesce := range map[string]bool{"serving": false, "paused": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmp := t.TempDir()
			copied, data := filepath.Join(tmp, "copies", "copy"), filepath.Join(tmp, "restored")
			f := &far{sent: map[string]int{}}
			old := open(t, filepath.Join(tmp, "data"), false)
			inputs, commits := load(t, old, f, copied, quiesce)
			if err := backup.Restore(within(t), copied, data, t.Output()); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"views.db", "restore.partial"} {
				if _, err := os.Stat(filepath.Join(data, name)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s: %v, want it not to be there", name, err)
				}
			}
			restored := open(t, data, true)
			sameMessages(t, old, restored)
			nothingAhead(t, restored)
			checkCommits(t, restored, commits)
			checkLocks(t, restored)
			goOn(t, restored, f)
			checkInputs(t, restored, inputs)
		})
	}
}

// sameMessages compares the streams of which nothing is deleted, byte by byte.
func sameMessages(t *testing.T, old, restored *hub) {
	t.Helper()
	ctx, count := within(t), 0
	for p := range partitions {
		for _, name := range []string{fmt.Sprintf("EVT-%d", p), fmt.Sprintf("IN-%d", p)} {
			a, err := old.bus.JS.Stream(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := restored.bus.JS.Stream(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			gap := false
			for seq := uint64(1); seq <= b.CachedInfo().State.LastSeq; seq++ {
				got, err := b.GetMsg(ctx, seq)
				if errors.Is(err, jetstream.ErrMsgNotFound) && strings.HasPrefix(name, "IN") {
					gap = true // used up
					continue
				}
				if err != nil || gap {
					t.Fatalf("%s %d: %v, after a gap: %v", name, seq, err, gap)
				}
				want, err := a.GetMsg(ctx, seq)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%s %d: %s", name, seq, d)
				}
				count++
			}
			if d := cmp.Diff(a.CachedInfo().Config, b.CachedInfo().Config); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	t.Logf("%d messages are the same", count)
}

// nothingAhead: whatever a part refers to is there.
func nothingAhead(t *testing.T, h *hub) {
	t.Helper()
	ctx := within(t)
	for p := range partitions {
		head, err := h.events.Head(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := h.state.Checkpoint(ctx, "policy", p); err != nil || at > head {
			t.Errorf("policy is at %d of %d in partition %d: %v", at, head, p, err)
		}
		all, err := h.events.Read(ctx, p, 1, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			var in int
			var seq uint64
			if _, err := fmt.Sscanf(c.Cause, "in/%d/%d", &in, &seq); err != nil {
				continue
			}
			s, err := h.bus.JS.Stream(ctx, fmt.Sprintf("IN-%d", in))
			if err != nil {
				t.Fatal(err)
			}
			if last := s.CachedInfo().State.LastSeq; seq > last {
				t.Fatalf("commit %s names input %d of partition %d, which ends at %d", c.ID, seq, in, last)
			}
		}
	}
}

func checkCommits(t *testing.T, h *hub, want map[string]eventstore.Result) {
	t.Helper()
	for id, r := range want {
		all, err := h.events.Read(within(t), r.Partition, r.Seq, 1)
		if err != nil || len(all) != 1 || all[0].ID != "reply-"+id || all[0].Seq != r.Seq {
			t.Fatalf("commit of %s at %d of partition %d: have %+v, %v", id, r.Seq, r.Partition, all, err)
		}
	}
	t.Logf("%d commits from before the backup", len(want))
}

func checkLocks(t *testing.T, h *hub) {
	t.Helper()
	ctx := within(t)
	past, err := h.history(ctx, "customer.agent0-c1")
	if err != nil || len(past) < 2 {
		t.Fatalf("%d commits, %v", len(past), err)
	}
	c := eventstore.Commit{ID: "lock", RecordedAt: time.Now(), Records: []eventstore.Record{{Type: "x", V: 1, Data: json.RawMessage(`{}`)}}}
	stale := eventstore.Append{Tenant: "default", Stream: "customer.agent0-c1", Expect: past[len(past)-2].Seq, Commit: c}
	if _, ok := errors.AsType[*eventstore.ConflictError](h.events.Append(ctx, stale)[0].Err); !ok {
		t.Error("a stale append was not refused")
	}
	right := stale
	right.Expect = past[len(past)-1].Seq
	if r := h.events.Append(ctx, right)[0]; r.Err != nil {
		t.Errorf("append after the last commit: %v", r.Err)
	}
}
