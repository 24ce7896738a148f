package eventstoretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
)

func commitComesBackWhole(t *testing.T, o Opened) {
	a := Make("customer.c1", "first", 0)
	a.Commit.Cause, a.Commit.Trace = "in-7", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	a.Commit.RecordedAt = time.Date(2026, 11, 3, 15, 3, 0, 123456789, time.FixedZone("CET", 3600))
	a.Commit.Records = []eventstore.Record{
		{Type: "a.b", V: 1, Data: json.RawMessage(`{"n": 1, "text":"é<\u0001>"}`)},
		{Type: "a.c", V: 12, Data: json.RawMessage(`{}`)},
	}
	first := must(t, o.Store, a)
	second := must(t, o.Store, Make("customer.c1", "second", first))
	got := load(t, o.Store, "customer.c1", 0)

	want := a.Commit
	want.Tenant, want.Stream = Tenant, "customer.c1"
	want.Partition, want.Seq = o.Store.PartitionOf(Tenant, "customer.c1"), first
	want.RecordedAt = time.Date(2026, 11, 3, 14, 3, 0, 123456000, time.UTC)
	sameJSON := cmp.Transformer("json", func(m json.RawMessage) any {
		var v any
		if err := json.Unmarshal(m, &v); err != nil {
			return err.Error()
		}
		return v
	})
	if diff := cmp.Diff(want, got[0], sameJSON); diff != "" {
		t.Errorf("commit changed by storing it (-want +got):\n%s", diff)
	}
	if p := got[1].Prev; got[1].Seq != second || p != 0 && p != first {
		t.Errorf("second: Seq %d Prev %d, want %d and %d (or 0)", got[1].Seq, p, second, first)
	}
}

func staleExpectationConflicts(t *testing.T, o Opened) {
	first := must(t, o.Store, Make("customer.c1", "a", 0))
	must(t, o.Store, Make("customer.other", "x", 0))
	must(t, o.Store, Make("customer.c1", "b", first))
	for _, expect := range []uint64{0, first, first + 1000} {
		r := o.Store.Append(deadline(t), Make("customer.c1", "c", expect))[0]
		var conflict *eventstore.ConflictError
		if !errors.As(r.Err, &conflict) || conflict.Stream != "customer.c1" || conflict.Expect != expect {
			t.Errorf("Append(expect %d) = %+v, want a ConflictError that names it", expect, r)
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, ids(load(t, o.Store, "customer.c1", 0))); diff != "" {
		t.Errorf("a refused commit left a trace (-want +got):\n%s", diff)
	}
	r := o.Store.Append(deadline(t), Make("customer.unheard", "c", 3))[0]
	if !errors.As(r.Err, new(*eventstore.ConflictError)) {
		t.Errorf("Append(new stream, expect 3) = %+v, want a conflict", r)
	}
}

func repeatedCommitIsADuplicate(t *testing.T, o Opened) {
	first := must(t, o.Store, Make("customer.c1", "a", 0))
	second := must(t, o.Store, Make("customer.c1", "b", first))
	for _, expect := range []uint64{0, first, second, second + 7} {
		r := o.Store.Append(deadline(t), Make("customer.c1", "b", expect))[0]
		want := eventstore.Result{Partition: o.Store.PartitionOf(Tenant, "customer.c1"), Seq: second, Duplicate: true}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("repeat with expect %d (-want +got):\n%s", expect, diff)
		}
	}
	must(t, o.Store, Make("customer.c2", "b", 0)) // an ID belongs to its stream
	if n := len(load(t, o.Store, "customer.c1", 0)); n != 2 {
		t.Errorf("%d commits after repeats, want 2", n)
	}
}

func repeatedCommitIsFoundAfterOthers(t *testing.T, o Opened) {
	seqs := Fill(t, o.Store, "customer.c1", 5)
	r := o.Store.Append(deadline(t), Make("customer.c1", "customer.c1/2", seqs[1]))[0]
	if r.Err != nil || !r.Duplicate || r.Seq != seqs[2] {
		t.Errorf("repeat after two others = %+v, want Duplicate at %d", r, seqs[2])
	}
}

func appendsOfOneCallAreOrdered(t *testing.T, o Opened) {
	var appends []eventstore.Append
	for i := range 40 {
		appends = append(appends, Make(fmt.Sprintf("customer.c%d", i), "only", 0))
	}
	for i, r := range o.Store.Append(deadline(t), appends...) {
		stream := appends[i].Stream
		got := load(t, o.Store, stream, 0)
		if r.Err != nil || len(got) != 1 || got[0].Seq != r.Seq || r.Partition != o.Store.PartitionOf(Tenant, stream) {
			t.Errorf("result %d = %+v, stored %v", i, r, got)
		}
	}
	if got := o.Store.Append(deadline(t)); len(got) != 0 {
		t.Errorf("Append() = %v, want nothing", got)
	}
}

func appendsOfOneStreamAreChained(t *testing.T, o Opened) {
	base := must(t, o.Store, Make("customer.c1", "a", 0))
	call := []eventstore.Append{
		Make("customer.c1", "b", base), Make("customer.c2", "x", 0),
		Make("customer.c1", "c", base), Make("customer.c1", "d", 0),
	}
	for repeat := range 2 {
		results := o.Store.Append(deadline(t), call...)
		for i, r := range results {
			if r.Err != nil || r.Duplicate != (repeat == 1) {
				t.Fatalf("call %d: result %d = %+v", repeat, i, r)
			}
		}
		if results[0].Seq >= results[2].Seq || results[2].Seq >= results[3].Seq {
			t.Errorf("chained sequences %+v do not grow", results)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, ids(load(t, o.Store, "customer.c1", 0))); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func failureStopsTheChainAlone(t *testing.T, o Opened) {
	base := must(t, o.Store, Make("customer.c1", "a", 0))
	bad := Make("customer.c3", "", 0)
	results := o.Store.Append(deadline(t),
		Make("customer.c1", "b", base+99), Make("customer.c1", "c", base), Make("customer.c2", "x", 0), bad)
	for _, i := range []int{0, 1} {
		if !errors.As(results[i].Err, new(*eventstore.ConflictError)) {
			t.Errorf("result %d = %+v, want a conflict", i, results[i])
		}
	}
	if results[2].Err != nil || results[3].Err == nil {
		t.Errorf("other streams = %+v, %+v", results[2], results[3])
	}
	if diff := cmp.Diff([]string{"a"}, ids(load(t, o.Store, "customer.c1", 0))); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func oneWriterWinsEachPlace(t *testing.T, o Opened) {
	const writers, rounds = 8, 5
	ctx := deadline(t)
	wins := make([][]uint64, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			var version uint64
			for n := 0; n < rounds; {
				r := o.Store.Append(ctx, Make("customer.c1", fmt.Sprintf("w%d-%d", w, n), version))[0]
				switch {
				case r.Err == nil && !r.Duplicate:
					wins[w], version = append(wins[w], r.Seq), r.Seq
					n++
				case errors.As(r.Err, new(*eventstore.ConflictError)):
					for c, err := range o.Store.Load(ctx, Tenant, "customer.c1", version) {
						if err != nil {
							t.Errorf("Load = %v", err)
							return
						}
						version = c.Seq
					}
				default:
					t.Errorf("Append = %+v", r)
					return
				}
			}
		})
	}
	all.Wait()
	won := map[uint64]bool{}
	for _, seqs := range wins {
		for _, s := range seqs {
			if won[s] {
				t.Errorf("two writers won place %d", s)
			}
			won[s] = true
		}
	}
	if n := len(load(t, o.Store, "customer.c1", 0)); n != writers*rounds || len(won) != n {
		t.Errorf("%d commits, %d wins, want %d", n, len(won), writers*rounds)
	}
}

func badInputIsNamed(t *testing.T, o Opened) {
	for want, change := range map[string]func(*eventstore.Append){
		"tenant":    func(a *eventstore.Append) { a.Tenant = "a.b" },
		"stream":    func(a *eventstore.Append) { a.Stream = "customer.ada@x.org" },
		"commit id": func(a *eventstore.Append) { a.Commit.ID = "two words" },
		"records":   func(a *eventstore.Append) { a.Commit.Records = nil },
		"version":   func(a *eventstore.Append) { a.Commit.Records[0].V = 0 },
		"encode":    func(a *eventstore.Append) { a.Commit.Records[0].Data = json.RawMessage(`{`) },
	} {
		a := Make("customer.c1", "a", 0)
		change(&a)
		if err := o.Store.Append(deadline(t), a)[0].Err; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Append(bad %s) = %v, want an error that names it", want, err)
		}
	}
	if got := load(t, o.Store, "customer.c1", 0); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
}

func sized(n int) eventstore.Append {
	a := Make("customer.c1", "a", 0)
	a.Commit.Records[0].Data = json.RawMessage(`"` + strings.Repeat("x", n) + `"`)
	return a
}

func tooLargeIsNamed(t *testing.T, o Opened) {
	err := o.Store.Append(deadline(t), sized(1<<20))[0].Err
	var large *eventstore.TooLargeError
	if !errors.As(err, &large) || large.Limit != eventstore.MaxCommitBytes || large.Bytes <= 1<<20 || large.Stream != "customer.c1" {
		t.Errorf("Append(1 MiB) = %v, want a TooLargeError", err)
	}
}

func largestCommitFits(t *testing.T, o Opened) {
	must(t, o.Store, sized(eventstore.MaxCommitBytes-200))
	if got := load(t, o.Store, "customer.c1", 0); len(got) != 1 {
		t.Errorf("%d commits, want 1", len(got))
	}
}

func cancelledContextStoresNothing(t *testing.T, o Opened) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Store.Append(ctx, Make("customer.c1", "a", 0))[0].Err; !errors.Is(err, context.Canceled) {
		t.Errorf("Append = %v, want context.Canceled", err)
	}
	if got := load(t, o.Store, "customer.c1", 0); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
	must(t, o.Store, Make("customer.c1", "a", 0))
	var last error
	for _, last = range o.Store.Load(ctx, Tenant, "customer.c1", 0) {
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("Load = %v, want context.Canceled", last)
	}
	if _, err := o.Store.Read(ctx, 0, 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v, want context.Canceled", err)
	}
}
