package jetstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
)

// TestLoadOfALongStream: more commits than the first page and a consumer's pages
// hold come once each and in order, from wherever one begins; who stops early or
// gives up leaves nothing behind.
func TestLoadOfALongStream(t *testing.T) {
	t.Parallel()
	const n = 3_000
	s, js := long(t, n)
	read := func(after uint64, most int) (seqs []uint64) {
		for c, err := range s.Load(timeout(t), eventstoretest.Tenant, "customer.long", after) {
			if err != nil {
				t.Fatalf("Load after %d = %v", after, err)
			}
			if c.Stream != "customer.long" || c.ID != id(len(seqs)+n-most) {
				t.Fatalf("commit %d after %d is %s of %s", len(seqs), after, c.ID, c.Stream)
			}
			if seqs = append(seqs, c.Seq); len(seqs) == most {
				break
			}
		}
		return seqs
	}
	all := read(0, n)
	if len(all) != n {
		t.Fatalf("%d commits of %d", len(all), n)
	}
	for _, from := range []int{1, 256, 257, n - 1_257, n - 1_256, n - 1} {
		if got := read(all[from-1], n-from); len(got) != n-from || got[0] != all[from] {
			t.Errorf("after commit %d: %d commits, want %d", from, len(got), n-from)
		}
	}

	ctx, cancel := context.WithCancel(timeout(t))
	defer cancel()
	got := 0
	for _, err := range s.Load(ctx, eventstoretest.Tenant, "customer.long", 0) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("given up: %v", err)
			}
			break
		}
		if got++; got == 700 {
			cancel()
		}
	}
	if got >= n {
		t.Error("read on after it was given up")
	}
	stream, err := js.Stream(timeout(t), "EVT-0")
	if err != nil {
		t.Fatal(err)
	}
	for name := range stream.ConsumerNames(timeout(t)).Name() {
		t.Errorf("consumer %s is left", name)
	}
}
