package jetstore_test

import (
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

func TestFilledSequencesAreNeverGivenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := jetstore.Config{Partitions: 1}
	srv := startServer(t, dir)
	s := open(t, srv.js, cfg)
	seqs := eventstoretest.Fill(t, s, "customer.c", 4)
	last := seqs[3]
	if err := s.SaveSnapshot(timeout(t), eventstoretest.Tenant, "customer.c", eventstore.Snapshot{Seq: 999, State: []byte("x"), V: 1}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice is once
		if err := s.Fill(timeout(t), 0, last+300); err != nil {
			t.Fatalf("Fill = %v", err)
		}
	}
	if err := s.DropSnapshots(timeout(t)); err != nil {
		t.Fatalf("DropSnapshots = %v", err)
	}
	srv.stop()

	s = open(t, startServer(t, dir).js, jetstore.Config{Partitions: 1, Existing: true})
	if head, err := s.Head(timeout(t), 0); err != nil || head != last+300 {
		t.Errorf("Head after restart = %d, %v, want %d", head, err, last+300)
	}
	got, err := s.Read(timeout(t), 0, 1, 100)
	if err != nil || len(got) != 4 {
		t.Errorf("Read = %d commits, %v, want the 4 that were appended", len(got), err)
	}
	if _, there, err := s.LoadSnapshot(timeout(t), eventstoretest.Tenant, "customer.c"); there || err != nil {
		t.Errorf("a snapshot is there still: %v, %v", there, err)
	}
	if r := s.Append(timeout(t), eventstoretest.Make("customer.c", "after", last))[0]; r.Err != nil || r.Seq != last+301 {
		t.Errorf("Append = %+v, want sequence %d", r, last+301)
	}
}
