// Package eventstoretest says in tests what an eventstore.Store promises. Every
// store passes the same suite.
package eventstoretest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Opened is a new, empty store; it is closed by the test's cleanup.
type Opened struct {
	Store     eventstore.Store
	Snapshots eventstore.Snapshots
}

// Open makes a new, empty store with at least two partitions.
type Open func(t *testing.T) Opened

// Tenant is the one the suite writes to.
const Tenant = "t1"

// Run holds a store against the contract. The subtests run in parallel, each on
// a store of its own.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, Opened)
	}{
		{"CommitComesBackWhole", commitComesBackWhole},
		{"StreamIsLoadedInOrder", streamIsLoadedInOrder},
		{"LoadAfterASequence", loadAfterASequence},
		{"LoadALongStream", loadALongStream},
		{"TenantsAreApart", tenantsAreApart},
		{"StaleExpectationConflicts", staleExpectationConflicts},
		{"RepeatedCommitIsADuplicate", repeatedCommitIsADuplicate},
		{"RepeatedCommitIsFoundAfterOthers", repeatedCommitIsFoundAfterOthers},
		{"AppendsOfOneCallAreOrdered", appendsOfOneCallAreOrdered},
		{"AppendsOfOneStreamAreChained", appendsOfOneStreamAreChained},
		{"FailureStopsTheChainAlone", failureStopsTheChainAlone},
		{"OneWriterWinsEachPlace", oneWriterWinsEachPlace},
		{"BadInputIsNamed", badInputIsNamed},
		{"TooLargeIsNamed", tooLargeIsNamed},
		{"LargestCommitFits", largestCommitFits},
		{"ReadInBatches", readInBatches},
		{"HeadIsTheLastSequence", headIsTheLastSequence},
		{"FollowFromThePastIntoTheLive", followFromThePastIntoTheLive},
		{"FollowEndsWithItsContext", followEndsWithItsContext},
		{"CancelledContextStoresNothing", cancelledContextStoresNothing},
		{"PartitionsAreStable", partitionsAreStable},
		{"SnapshotsRoundTrip", snapshotsRoundTrip},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// Make is an append of one small record.
func Make(stream, id string, expect uint64) eventstore.Append {
	return eventstore.Append{Tenant: Tenant, Stream: stream, Expect: expect, Commit: eventstore.Commit{
		ID: id, RecordedAt: time.Date(2026, 11, 3, 14, 3, 0, 123456000, time.UTC), Actor: "customer",
		Records: []eventstore.Record{{Type: "test.happened", V: 1, Data: json.RawMessage(`{"id":"` + id + `"}`)}},
	}}
}

// Fill appends n commits named "<stream>/<i>" to a new stream and gives their sequences.
func Fill(t *testing.T, s eventstore.Store, stream string, n int) []uint64 {
	t.Helper()
	var last uint64
	seqs := make([]uint64, 0, n)
	for i := range n {
		last = must(t, s, Make(stream, fmt.Sprintf("%s/%d", stream, i), last))
		seqs = append(seqs, last)
	}
	return seqs
}

func must(t *testing.T, s eventstore.Store, a eventstore.Append) uint64 {
	t.Helper()
	r := s.Append(deadline(t), a)[0]
	if r.Err != nil {
		t.Fatalf("Append(%s, %s) = %v", a.Stream, a.Commit.ID, r.Err)
	}
	return r.Seq
}

func load(t *testing.T, s eventstore.Store, stream string, after uint64) []eventstore.Commit {
	t.Helper()
	var out []eventstore.Commit
	for c, err := range s.Load(deadline(t), Tenant, stream, after) {
		if err != nil {
			t.Fatalf("Load(%s, %d) = %v", stream, after, err)
		}
		out = append(out, c)
	}
	return out
}

func ids(commits []eventstore.Commit) []string {
	var out []string
	for _, c := range commits {
		out = append(out, c.ID)
	}
	return out
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
