package loghead_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/loghead"
)

type ends []uint64

func (e ends) Partitions() int { return len(e) }
func (e ends) Extent(_ context.Context, p int) (last, gone uint64, err error) {
	return e[p], 0, nil
}

func followed(seqs ...uint64) func(context.Context, int) (uint64, error) {
	return func(_ context.Context, p int) (uint64, error) {
		if p < len(seqs) {
			return seqs[p], nil
		}
		return 0, nil
	}
}

func state(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestALogThatEndsTooEarlyIsALoss(t *testing.T) {
	t.Parallel()
	s := state(t)
	if err := loghead.Check(t.Context(), ends{0, 0}, s, followed()); err != nil {
		t.Fatalf("a new log: %v", err)
	}
	if err := loghead.Note(t.Context(), ends{10, 455}, s); err != nil {
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), ends{10, 455}, s, followed(10, 455)); err != nil {
		t.Errorf("as noted: %v", err)
	}
	if err := loghead.Check(t.Context(), ends{11, 500}, s, followed(11, 455)); err != nil {
		t.Errorf("longer than noted, as after a crash or a restore: %v", err)
	}
	err := loghead.Check(t.Context(), ends{10, 340}, s, followed())
	if err == nil || !strings.Contains(err.Error(), "partition 1 of the event log should reach to 455 and ends at 340") || strings.Contains(err.Error(), "\n") {
		t.Errorf("cut: %v", err)
	}
	if err := loghead.Check(t.Context(), ends{10, 455}, s, followed(12)); err == nil || !strings.Contains(err.Error(), "partition 0 of the event log should reach to 12") {
		t.Errorf("shorter than a follower: %v", err)
	}
	if err := loghead.Note(t.Context(), ends{10, 340}, s); err != nil {
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), ends{10, 340}, s, followed()); err == nil {
		t.Error("noting a shorter log blessed the loss")
	}
}

func TestAcceptingGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	s, broken := state(t), errors.New("broken")
	if err := loghead.Accept(t.Context(), s, func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), ends{1}, s, followed()); !errors.Is(err, loghead.ErrInterrupted) {
		t.Errorf("half done: %v", err)
	}
	if err := loghead.Accept(t.Context(), s, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), ends{1}, s, followed()); err != nil {
		t.Errorf("done: %v", err)
	}
}

// holed is a log of 10 commits, some of which are not there.
type holed uint64

func (holed) Partitions() int { return 1 }
func (h holed) Extent(context.Context, int) (last, gone uint64, err error) {
	return 10, uint64(h), nil
}

func TestCommitsThatGoWhileNothingRunsAreALoss(t *testing.T) {
	t.Parallel()
	s := state(t)
	if err := loghead.End(t.Context(), holed(2), s); err != nil { // an erasure took two
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), holed(2), s, followed()); err != nil {
		t.Errorf("as it was left: %v", err)
	}
	if err := loghead.Check(t.Context(), holed(5), s, followed()); err == nil || !strings.Contains(err.Error(), "should hold 8 commits and holds 5") {
		t.Errorf("three are gone: %v", err)
	}
	if err := loghead.Begin(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := loghead.Check(t.Context(), holed(5), s, followed()); err != nil {
		t.Errorf("killed while an erasure ran: %v", err)
	}
}
