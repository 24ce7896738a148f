package eventstoretest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
)

func streamIsLoadedInOrder(t *testing.T, o Opened) {
	var want []string
	last := map[string]uint64{}
	for i := range 12 {
		stream := fmt.Sprintf("customer.c%d", i%3)
		id := fmt.Sprintf("i%d", i)
		last[stream] = must(t, o.Store, Make(stream, id, last[stream]))
		if i%3 == 1 {
			want = append(want, id)
		}
	}
	got := load(t, o.Store, "customer.c1", 0)
	if diff := cmp.Diff(want, ids(got)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for i := 1; i < len(got); i++ {
		if got[i].Seq <= got[i-1].Seq {
			t.Errorf("sequence %d follows %d", got[i].Seq, got[i-1].Seq)
		}
	}
	if got := load(t, o.Store, "customer.unheard", 0); len(got) != 0 {
		t.Errorf("a stream nobody wrote to has %v", got)
	}
	if got := load(t, o.Store, "customer", 0); len(got) != 0 {
		t.Errorf("a prefix of a stream's name has %v", got)
	}
}

func loadAfterASequence(t *testing.T, o Opened) {
	seqs := Fill(t, o.Store, "customer.c1", 5)
	must(t, o.Store, Make("customer.c2", "x", 0))
	for i, s := range seqs {
		if got := load(t, o.Store, "customer.c1", s); len(got) != len(seqs)-i-1 {
			t.Errorf("Load(after %d) has %d commits, want %d", s, len(got), len(seqs)-i-1)
		}
	}
	for range o.Store.Load(deadline(t), Tenant, "customer.c1", 0) {
		break // a reader may stop early
	}
	if got := load(t, o.Store, "customer.c1", seqs[4]+1000); len(got) != 0 {
		t.Errorf("Load(after the end) = %v", ids(got))
	}
}

func loadALongStream(t *testing.T, o Opened) {
	const n = 700
	var appends []eventstore.Append
	for i := range n {
		appends = append(appends, Make("customer.c1", fmt.Sprintf("i%d", i), 0))
	}
	for i, r := range o.Store.Append(deadline(t), appends...) {
		if r.Err != nil {
			t.Fatalf("append %d: %v", i, r.Err)
		}
	}
	got := load(t, o.Store, "customer.c1", 0)
	for i, c := range got {
		if c.ID != fmt.Sprintf("i%d", i) {
			t.Fatalf("commit %d is %s", i, c.ID)
		}
	}
	if len(got) != n {
		t.Errorf("%d commits, want %d", len(got), n)
	}
}

func tenantsAreApart(t *testing.T, o Opened) {
	must(t, o.Store, Make("customer.c1", "a", 0))
	other := Make("customer.c1", "a", 0)
	other.Tenant = "t2"
	if r := o.Store.Append(deadline(t), other)[0]; r.Err != nil || r.Duplicate {
		t.Errorf("same stream of another tenant = %+v", r)
	}
	if got := load(t, o.Store, "customer.c1", 0); len(got) != 1 || got[0].Tenant != Tenant {
		t.Errorf("Load = %v", got)
	}
}

// spread writes n commits to each of several streams, so that every partition has some.
func spread(t *testing.T, s eventstore.Store, round, streams int) map[int][]string {
	t.Helper()
	want := map[int][]string{}
	for i := range streams {
		stream, id := fmt.Sprintf("customer.r%d-%d", round, i), fmt.Sprintf("r%d-%d", round, i)
		must(t, s, Make(stream, id, 0))
		p := s.PartitionOf(Tenant, stream)
		want[p] = append(want[p], id)
	}
	return want
}

func readInBatches(t *testing.T, o Opened) {
	want := spread(t, o.Store, 0, 20)
	for p := range o.Store.Partitions() {
		var got []string
		from, calls := uint64(0), 0
		for {
			batch, err := o.Store.Read(deadline(t), p, from, 3)
			if err != nil || len(batch) > 3 {
				t.Fatalf("Read(%d, %d, 3) = %d commits, %v", p, from, len(batch), err)
			}
			if len(batch) == 0 {
				break
			}
			got = append(got, ids(batch)...)
			from = batch[len(batch)-1].Seq + 1
			if calls++; calls > 100 {
				t.Fatal("Read does not end")
			}
		}
		if diff := cmp.Diff(want[p], got); diff != "" {
			t.Errorf("partition %d (-want +got):\n%s", p, diff)
		}
	}
	if _, err := o.Store.Read(deadline(t), o.Store.Partitions(), 1, 1); err == nil {
		t.Error("Read of a partition that does not exist: no error")
	}
	if got, err := o.Store.Read(deadline(t), 0, 1, 0); err != nil || len(got) != 0 {
		t.Errorf("Read(limit 0) = %v, %v", got, err)
	}
}

func headIsTheLastSequence(t *testing.T, o Opened) {
	for p := range o.Store.Partitions() {
		if h, err := o.Store.Head(deadline(t), p); h != 0 || err != nil {
			t.Errorf("Head(%d) of an empty store = %d, %v", p, h, err)
		}
	}
	last := map[int]uint64{}
	for i := range 10 {
		stream := fmt.Sprintf("customer.c%d", i)
		last[o.Store.PartitionOf(Tenant, stream)] = must(t, o.Store, Make(stream, "a", 0))
	}
	for p := range o.Store.Partitions() {
		if h, err := o.Store.Head(deadline(t), p); h != last[p] || err != nil {
			t.Errorf("Head(%d) = %d, %v, want %d", p, h, err, last[p])
		}
	}
}

func followFromThePastIntoTheLive(t *testing.T, o Opened) {
	past := spread(t, o.Store, 0, 12)
	for p := range o.Store.Partitions() {
		var first uint64
		if len(past[p]) > 0 { // begin after the first commit
			batch, err := o.Store.Read(deadline(t), p, 0, 1)
			if err != nil || len(batch) != 1 {
				t.Fatalf("Read = %v, %v", batch, err)
			}
			first = batch[0].Seq
			past[p] = past[p][1:]
		}
		ctx, stop := context.WithCancel(deadline(t))
		got := make(chan string, 100)
		done := make(chan error, 1)
		go func() {
			var last error
			for c, err := range o.Store.Follow(ctx, p, first) {
				if last = err; err == nil {
					got <- c.ID
				}
			}
			done <- last
		}()
		expect := func(want []string) {
			t.Helper()
			for _, w := range want {
				select {
				case id := <-got:
					if id != w {
						t.Errorf("partition %d: followed %s, want %s", p, id, w)
					}
				case <-ctx.Done():
					t.Fatalf("partition %d: %s never came", p, w)
				}
			}
		}
		expect(past[p])
		expect(spread(t, o.Store, p+1, 8)[p])
		for q := range o.Store.Partitions() {
			past[q] = append(past[q], idsOf(t, o.Store, q, p+1)...)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Follow ended with %v after its context", err)
		}
	}
}

// idsOf are the commits of one round of spread in a partition.
func idsOf(t *testing.T, s eventstore.Store, partition, round int) []string {
	t.Helper()
	commits, err := s.Read(deadline(t), partition, 0, 1000)
	if err != nil {
		t.Fatalf("Read = %v", err)
	}
	var out []string
	for _, c := range commits {
		var r, i int
		if n, _ := fmt.Sscanf(c.ID, "r%d-%d", &r, &i); n == 2 && r == round {
			out = append(out, c.ID)
		}
	}
	return out
}

func followEndsWithItsContext(t *testing.T, o Opened) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for c, err := range o.Store.Follow(ctx, 0, 0) {
		t.Errorf("Follow with an ended context = %v, %v", c, err)
	}
	var last error
	for _, last = range o.Store.Follow(deadline(t), -1, 0) {
	}
	if last == nil {
		t.Error("Follow of a partition that does not exist: no error")
	}
}

func partitionsAreStable(t *testing.T, o Opened) {
	n := o.Store.Partitions()
	if n < 2 {
		t.Fatalf("%d partitions; the suite needs two", n)
	}
	used := map[int]bool{}
	for i := range 200 {
		stream := fmt.Sprintf("customer.c%d", i)
		p := o.Store.PartitionOf(Tenant, stream)
		if p != eventstore.PartitionOf(Tenant, stream, n) {
			t.Fatalf("PartitionOf(%s) = %d, other stores say %d", stream, p, eventstore.PartitionOf(Tenant, stream, n))
		}
		used[p] = true
	}
	if len(used) != n {
		t.Errorf("200 streams use %d of %d partitions", len(used), n)
	}
}

func snapshotsRoundTrip(t *testing.T, o Opened) {
	ctx := deadline(t)
	if _, ok, err := o.Snapshots.LoadSnapshot(ctx, Tenant, "customer.c1"); ok || err != nil {
		t.Errorf("LoadSnapshot of none = %v, %v", ok, err)
	}
	for _, s := range []eventstore.Snapshot{
		{Seq: 7, State: []byte(`{"a":1}`), V: 1},
		{Seq: 9, State: []byte{0, 255, 1}, V: 2},
	} {
		if err := o.Snapshots.SaveSnapshot(ctx, Tenant, "customer.c1", s); err != nil {
			t.Fatalf("SaveSnapshot = %v", err)
		}
		got, ok, err := o.Snapshots.LoadSnapshot(ctx, Tenant, "customer.c1")
		if diff := cmp.Diff(s, got); diff != "" || !ok || err != nil {
			t.Errorf("LoadSnapshot = %v, %v (-want +got):\n%s", ok, err, diff)
		}
	}
	if _, ok, _ := o.Snapshots.LoadSnapshot(ctx, "t2", "customer.c1"); ok {
		t.Error("another tenant has the snapshot")
	}
	if _, ok, _ := o.Snapshots.LoadSnapshot(ctx, Tenant, "customer.c2"); ok {
		t.Error("another stream has the snapshot")
	}
}
