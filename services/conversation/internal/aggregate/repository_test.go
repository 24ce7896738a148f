package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

var quiet = slog.New(slog.DiscardHandler)

func repository(store *eventstore.Memory, now func() time.Time) *aggregate.Repository[customer.State] {
	return aggregate.New(aggregate.Config{
		Now: now, SnapshotEvery: 5, Backoff: func(int) time.Duration { return 0 },
	}, aggregate.Customer(customer.DefaultBounds), store, store, quiet)
}

func turn(c customer.Command) aggregate.Turn[customer.State] {
	return aggregate.Turn[customer.State]{
		ID: c.CommitID(), Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, c) },
	}
}

func message(id, conversation string, at time.Time) customer.Receive {
	return customer.Receive{
		At: at, Message: id, Handle: customer.Attach{Handle: "h", Kind: "email", Tenure: 1},
		NewConversation: conversation, Channel: "email", Inbox: "i", OccurredAt: at,
	}
}

var start = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func fixed() time.Time { return start }

func TestManyWritersOfOneStreamAllGetIn(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(2)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := aggregate.New(aggregate.Config{Now: fixed, Attempts: 200}, aggregate.Customer(customer.DefaultBounds), store, store, quiet)
			for j := range 10 {
				if _, err := r.Execute(t.Context(), "t", "a", turn(message(fmt.Sprintf("m%d-%d", i, j), "c", start))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s, err := repository(store, fixed).Load(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := s.Conversation("c"); !ok || v.Version != 80 {
		t.Errorf("conversation %+v, want 80 messages", v)
	}
}

func TestRecordedAtGrowsThoughTheClockStandsStill(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(1)
	r := repository(store, fixed)
	for i := range 3 {
		tn := turn(message(fmt.Sprint(i), "c", start))
		if i == 2 {
			tn.Seen = start.Add(time.Hour)
		}
		if _, err := r.Execute(t.Context(), "t", "a", tn); err != nil {
			t.Fatal(err)
		}
	}
	var got []time.Time
	for c := range store.Load(t.Context(), "t", "customer.a", 0) {
		got = append(got, c.RecordedAt)
	}
	want := []time.Time{start, start.Add(time.Microsecond), start.Add(time.Hour + time.Microsecond)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLostAnswerIsNotADouble(t *testing.T) {
	t.Parallel()
	for _, op := range []eventstore.Op{eventstore.BeforeAppend, eventstore.AfterAppend} {
		store := eventstore.NewMemory(1)
		lost := 0
		store.SetHook(func(at eventstore.Op, _, _ string) error {
			if at == op && lost < 2 {
				lost++
				return eventstore.ErrUnknown
			}
			return nil
		})
		if _, err := repository(store, fixed).Execute(t.Context(), "t", "a", turn(message("m", "c", start))); err != nil {
			t.Fatal(err)
		}
		commits, err := store.Read(t.Context(), 0, 1, 10)
		if err != nil || len(commits) != 1 {
			t.Errorf("%s: %d commits, %v", op, len(commits), err)
		}
	}
}

func TestRefusalIsDecidedOnTheNewestState(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(1)
	mine, theirs := repository(store, fixed), repository(store, fixed)
	for _, r := range []*aggregate.Repository[customer.State]{mine, theirs} {
		if _, err := r.Execute(t.Context(), "t", "a", turn(message("m1", "c", start))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := theirs.Execute(t.Context(), "t", "a", turn(customer.SetStatus{ID: "x", Conversation: "c", Status: customer.Closed})); err != nil {
		t.Fatal(err)
	}
	// What I hold says open, so reopening looks like nothing to do.
	out, err := mine.Execute(t.Context(), "t", "a", turn(customer.SetStatus{ID: "y", Conversation: "c", Status: customer.Open}))
	if err != nil || !out.Appended {
		t.Errorf("appended %v, %v", out.Appended, err)
	}
}

func TestSnapshotAndTailAreTheWholeStream(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(1)
	r := repository(store, fixed)
	for i := range 23 {
		if _, err := r.Execute(t.Context(), "t", "a", turn(message(fmt.Sprint(i), "c", start))); err != nil {
			t.Fatal(err)
		}
	}
	if snap, ok, err := store.LoadSnapshot(t.Context(), "t", "customer.a"); err != nil || !ok || snap.Seq == 0 {
		t.Fatalf("no snapshot: %v, %v", ok, err)
	}
	fast, err := repository(store, fixed).Load(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := aggregate.New(aggregate.Config{}, aggregate.Customer(customer.DefaultBounds), store, nil, quiet).Load(t.Context(), "t", "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, fast); diff != "" {
		t.Errorf("(-whole stream +snapshot)\n%s", diff)
	}
}

// TestAForgottenConversationIsFoldedInAgain: a command names one that was
// closed long ago.
func TestAForgottenConversationIsFoldedInAgain(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(1)
	bounds := customer.DefaultBounds
	bounds.Closed = 2
	r := aggregate.New(aggregate.Config{Now: fixed, SnapshotEvery: 3}, aggregate.Customer(bounds), store, store, quiet)
	for i := range 9 {
		c := fmt.Sprintf("c%d", i)
		if _, err := r.Execute(t.Context(), "t", "a", turn(message("m"+c, c, start))); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Execute(t.Context(), "t", "a", turn(customer.SetStatus{ID: "x" + c, Conversation: c, Status: customer.Closed})); err != nil {
			t.Fatal(err)
		}
	}
	out, err := r.Execute(t.Context(), "t", "a", turn(customer.SetStatus{ID: "again", Conversation: "c0", Status: customer.Open}))
	if err != nil || !out.Appended {
		t.Fatalf("appended %v, %v", out.Appended, err)
	}
	if v, ok := out.State.Conversation("c0"); !ok || v.Status != customer.Open || v.Topic != "c0" {
		t.Errorf("conversation %+v", v)
	}
	var absent *customer.NotFoundError
	if _, err := r.Execute(t.Context(), "t", "a", turn(customer.Tag{ID: "k", Conversation: "never", Tag: "x"})); !errors.As(err, &absent) {
		t.Errorf("got %v", err)
	}
}

func TestConflictsEnd(t *testing.T) {
	t.Parallel()
	store := eventstore.NewMemory(1)
	store.SetHook(func(op eventstore.Op, _, stream string) error {
		if op == eventstore.BeforeAppend {
			return &eventstore.ConflictError{Stream: stream}
		}
		return nil
	})
	if _, err := repository(store, fixed).Execute(t.Context(), "t", "a", turn(message("m", "c", start))); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := repository(store, fixed).Execute(ctx, "t", "a", turn(message("m", "c", start))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
