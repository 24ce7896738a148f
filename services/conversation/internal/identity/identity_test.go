package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/crypt"
)

// reads are read models that the test sets; the graph follows the log.
type reads struct {
	log      *eventstore.Memory
	standing identity.Standing
}

func (r *reads) Graph() *person.Graph {
	g := person.New()
	commits, _ := r.log.Read(context.Background(), 0, 1, 1000)
	for _, c := range commits {
		events, _ := codec.Decode(c)
		for _, ev := range events {
			g.ApplyAt(c.Stream, c.RecordedAt, ev)
		}
	}
	return g
}

func (r *reads) Standing(context.Context, string, string) (identity.Standing, error) {
	return r.standing, nil
}

func (r *reads) CustomerOf(_ context.Context, _, conversation string) (string, bool, error) {
	whose := map[string]string{"c1": "a", "c2": "b"}
	return whose[conversation], whose[conversation] != "", nil
}

type desk struct {
	*identity.Service
	*reads
	keys  crypt.Keyring
	links *aggregate.Repository[link.State]
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	d := &desk{reads: &reads{log: eventstore.NewMemory(1)}, keys: crypt.NewMemory()}
	d.standing = identity.Standing{Members: []string{"a", "b"}, Handles: []string{"a/h1/1/2/", "b/h2/1/3/"}}
	d.links = aggregate.New(aggregate.Config{}, aggregate.Link(), d.log, nil, log)
	var err error
	d.Service, err = identity.New(identity.Deps{
		Links: d.links, Joins: aggregate.New(aggregate.Config{}, aggregate.Join(), d.log, nil, log), Reads: d.reads, Keys: d.keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) merge(t *testing.T, token, key string) (identity.Done, error) {
	t.Helper()
	return d.Merge(t.Context(), identity.Merge{Order: identity.Order{Actor: "ada", Key: key}, A: "b", B: "a", Token: token})
}

// What a preview rests on, part by part: any change of it is told, and nothing is written.
func TestStaleToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*identity.Standing)
		told   int
	}{
		"nothing":         {func(*identity.Standing) {}, 0},
		"a handle's mark": {func(s *identity.Standing) { s.Handles = []string{"a/h1/1/2/shared", "b/h2/1/3/"} }, 1},
		"a handle moved":  {func(s *identity.Standing) { s.Handles = s.Handles[:1] }, 1},
		"a link":          {func(s *identity.Standing) { s.Links = []string{"l9"} }, 1},
		"another member":  {func(s *identity.Standing) { s.Members, s.Links = append(s.Members, "c"), []string{"l9"} }, 2},
		"an erasure":      {func(s *identity.Standing) { s.Erased = []string{"c"} }, 1},
		"a hold":          {func(s *identity.Standing) { s.Holds = []string{"o1"} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			token := identity.Token(d.keys, "a", "b", d.standing)
			tc.change(&d.standing)
			_, err := d.merge(t, token, "k")
			stale, _ := errors.AsType[*identity.StaleError](err)
			if tc.told == 0 && err != nil || tc.told > 0 && (stale == nil || len(stale.Changes) != tc.told) {
				t.Errorf("got %v, want %d changes", err, tc.told)
			}
			if _, linked := slices.BinarySearch(d.Graph().Members("a"), "b"); linked == (tc.told > 0) {
				t.Errorf("linked: %v", linked)
			}
		})
	}
}

func TestMergeIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := identity.Token(d.keys, "a", "b", d.standing)
	d.standing.Refused = "a customer who was erased cannot be merged"
	if _, err := d.merge(t, token, "k"); !as[*customer.RefusedError](err) {
		t.Errorf("erased: %v", err)
	}
	d.standing.Refused = ""
	if _, err := d.Merge(t.Context(), identity.Merge{Order: identity.Order{Key: "k"}, A: "a", B: "a", Token: token}); !as[*customer.RefusedError](err) {
		t.Errorf("himself: %v", err)
	}
	if _, err := d.merge(t, identity.Token(d.keys, "a", "c", d.standing), "k"); !as[*identity.StaleError](err) {
		t.Errorf("a token of others: %v", err)
	}
	if _, err := d.merge(t, identity.Token(crypt.NewMemory(), "a", "b", d.standing), "k"); !as[*identity.StaleError](err) {
		t.Errorf("a token of another hub: %v", err)
	}
	if _, err := d.merge(t, token, ""); !as[*customer.FieldError](err) {
		t.Errorf("no key: %v", err)
	}
}

func as[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// A merged suggestion gives the link its reasons; a refused one stays refused.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	why := []event.Reason{{Kind: "asserted", Handle: "h1", Levels: []int{0, 2}, Evidence: []string{"m1"}}}
	suggest := func(id string, why []event.Reason) []event.Event {
		cmd := link.Suggest{Suggestion: id, A: "a", B: "b", Rule: "typed@1", Reasons: why}
		out, err := d.links.Execute(ctx, "default", "a.b", aggregate.Turn[link.State]{
			ID: id, Decide: func(s link.State) ([]event.Event, error) { return link.Decide(s, cmd) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Events
	}
	suggest("s1", why)
	order := identity.Order{Actor: "ada", Key: "k"}
	if _, err := d.Refuse(ctx, order, "a", "b", "s1"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Refuse(ctx, order, "a", "b", "s7"); !as[*customer.NotFoundError](err) {
		t.Errorf("a suggestion that never was: %v", err)
	}
	if again := suggest("s2", why); again != nil {
		t.Errorf("suggested again: %v", again)
	}
	better := []event.Reason{{Kind: "asserted", Handle: "h1", Levels: []int{2, 2}, Evidence: []string{"m2"}}}
	suggest("s3", better)
	token := identity.Token(d.keys, "a", "b", d.standing)
	if _, err := d.Merge(ctx, identity.Merge{Order: order, A: "a", B: "b", Token: token, Suggestion: "s9"}); !as[*customer.NotFoundError](err) {
		t.Errorf("with a suggestion that never was: %v", err)
	}
	done, err := d.Merge(ctx, identity.Merge{Order: order, A: "a", B: "b", Token: token, Suggestion: "s3"})
	if err != nil {
		t.Fatal(err)
	}
	events, err := codec.Decode(done.Commits[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]event.Event{event.Linked{Link: done.ID, A: "a", B: "b", Rule: "agent", Reasons: better}}, events); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The same key is the same order, also after the link was taken back: it does
// not come again. Another key makes another link.
func TestRepeatedMerge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := identity.Token(d.keys, "a", "b", d.standing)
	first, err := d.merge(t, token, "k")
	if err != nil {
		t.Fatal(err)
	}
	if other, err := d.merge(t, token, "k2"); err != nil || other.ID != first.ID || len(other.Commits) != 0 {
		t.Errorf("one person already: %v, %v", other, err)
	}
	if _, _, err := d.Unmerge(t.Context(), identity.Order{Actor: "ada", Key: "u"}, []string{first.ID}); err != nil {
		t.Fatal(err)
	}
	if again, err := d.merge(t, token, "k"); err != nil || len(again.Commits) != 0 {
		t.Errorf("a repeated order made %v, %v", again, err)
	}
	if next, err := d.merge(t, token, "k3"); err != nil || len(next.Commits) != 1 || next.ID == first.ID {
		t.Errorf("a new order made %v, %v", next, err)
	}
	// One link that is not there refuses all of them.
	if _, _, err := d.Unmerge(t.Context(), identity.Order{Actor: "ada", Key: "u"}, []string{first.ID, "none"}); !as[*customer.NotFoundError](err) {
		t.Errorf("got %v", err)
	}
}
