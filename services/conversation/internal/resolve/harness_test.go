package resolve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

const partitions = 3

var discard = slog.New(slog.DiscardHandler)

// tb is what testing.T and rapid.T share.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Context() context.Context
}

func openStore(t testing.TB) docstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "views.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// world is a log and everybody who follows it.
type world struct {
	tb
	log   *eventstore.Memory
	keys  crypt.Keyring
	heads map[string]uint64
	now   time.Time
	n     int
}

func newWorld(t tb) *world {
	return &world{
		tb: t, log: eventstore.NewMemory(partitions), keys: crypt.NewMemory(), heads: map[string]uint64{},
		now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
	}
}

// append stores one commit.
func (w *world) append(stream string, events ...event.Event) {
	w.Helper()
	records, err := codec.Encode(events)
	if err != nil {
		w.Fatalf("%v", err)
	}
	w.n++
	w.now = w.now.Add(time.Second)
	res := w.log.Append(w.Context(), eventstore.Append{
		Tenant: "default", Stream: stream, Expect: w.heads[stream],
		Commit: eventstore.Commit{ID: fmt.Sprint("c", w.n), RecordedAt: w.now, Actor: "customer", Records: records},
	})[0]
	if res.Err != nil {
		w.Fatalf("%s: %v", stream, res.Err)
	}
	w.heads[stream] = res.Seq
}

// owns makes a customer the owner of an address at a level.
func (w *world) owns(customer, handle, kind string, level int, match ...string) {
	w.Helper()
	w.append("handle."+handle, event.HandleClaimed{
		Tenure: 1, Customer: customer, Kind: kind, Assurance: level, Match: match,
		Address: w.seal(event.AddressKey(handle, 1), handle, kind, event.AddressAAD(handle, 1)),
	})
}

// says makes a customer say that an address is his.
func (w *world) says(customer, handle string, level int, match ...string) {
	w.Helper()
	w.n++
	m := fmt.Sprint("m", w.n)
	w.append("customer."+customer, event.HandleAsserted{
		Handle: handle, Kind: "email", Assurance: level, Message: m, Match: match,
		Address: w.seal(event.CustomerKey(customer), handle, "email", event.AssertionAAD(m, handle)),
	})
}

// proves makes a message of a customer, over a handle of his, prove to come from the owner of another.
func (w *world) proves(customer, over, owner, handle string, level int) (message string) {
	w.Helper()
	w.n++
	message = fmt.Sprint("m", w.n)
	w.append("customer."+customer, event.MessageReceived{
		Message: message, Conversation: "conv", Handle: over, Tenure: 1, OccurredAt: w.now.Add(time.Second), Assurance: level,
		Proof: &event.Proof{Customer: owner, Evidence: event.Evidence{Kind: "login", Handle: handle, Tenure: 1, ID: message}},
	})
	return message
}

func (w *world) seal(key, handle, kind string, aad []byte) crypt.Sealed {
	w.Helper()
	if err := w.keys.Ensure(w.Context(), key); err != nil {
		w.Fatalf("%v", err)
	}
	b, _ := json.Marshal(event.Address{Kind: kind, Address: handle + "@example.org"})
	s, err := w.keys.Seal(w.Context(), key, b, aad)
	if err != nil {
		w.Fatalf("%v", err)
	}
	return s
}

// follower is a hub's read side: its graph is as far as it was brought.
type follower struct {
	log     eventstore.Store
	graph   *person.Graph
	applied [partitions]uint64
}

func (f *follower) Graph() *person.Graph { return f.graph }

func (f *follower) WaitFor(ctx context.Context, partition int, seq uint64) error {
	commits, err := f.log.Read(ctx, partition, f.applied[partition]+1, 5000)
	if err != nil {
		return err
	}
	for _, c := range commits {
		if c.Seq > seq {
			break
		}
		events, err := codec.Decode(c)
		if err != nil {
			return err
		}
		for _, ev := range events {
			f.graph.ApplyAt(c.Stream, c.RecordedAt, ev)
		}
		f.applied[partition] = c.Seq
	}
	return nil
}

// resolver is one with a read side of its own.
type resolver struct {
	*resolve.Resolver
	*follower
	marked []string
}

func (w *world) resolver(store docstore.Store, rules *resolve.Rules, change func(*resolve.Deps)) *resolver {
	w.Helper()
	r := &resolver{follower: &follower{log: w.log, graph: person.New()}}
	now := func() time.Time { w.now = w.now.Add(time.Millisecond); return w.now }
	links := aggregate.New(aggregate.Config{Now: now, Backoff: func(int) time.Duration { return 0 }}, aggregate.Link(), w.log, nil, discard)
	d := resolve.Deps{
		Rules: rules, Persons: r.follower, Store: store, Keys: w.keys, Log: discard,
		Writer: resolve.Streams{Links: links, Mark: func(_ context.Context, _, handle, _ string, _ resolve.Cause) error {
			r.marked = append(r.marked, handle)
			return nil
		}},
	}
	if change != nil {
		change(&d)
	}
	var err error
	if r.Resolver, err = resolve.New(w.Context(), d); err != nil {
		w.Fatalf("%v", err)
	}
	return r
}

// step lets a resolver apply up to n commits of a partition; false when there are none.
func (w *world) step(r *resolver, at *[partitions]uint64, partition, n int) bool {
	w.Helper()
	commits, err := w.log.Read(w.Context(), partition, at[partition]+1, n)
	if err != nil {
		w.Fatalf("%v", err)
	}
	if len(commits) == 0 {
		return false
	}
	if err := r.Apply(w.Context(), partition, commits); err != nil {
		w.Fatalf("%v", err)
	}
	at[partition] = commits[len(commits)-1].Seq
	return true
}

// settle lets a resolver see everything in the order it happened, what it did
// itself too, its read side always up to date.
func (w *world) settle(r *resolver) {
	w.Helper()
	var at [partitions]uint64
	for {
		next, when := -1, time.Time{}
		for p := range partitions {
			if err := r.WaitFor(w.Context(), p, 1<<40); err != nil {
				w.Fatalf("%v", err)
			}
			commits, err := w.log.Read(w.Context(), p, at[p]+1, 1)
			if err != nil {
				w.Fatalf("%v", err)
			}
			if len(commits) > 0 && (next < 0 || commits[0].RecordedAt.Before(when)) {
				next, when = p, commits[0].RecordedAt
			}
		}
		if next < 0 {
			return
		}
		w.step(r, &at, next, 1)
	}
}

// happened is what the link streams say, in short.
func (w *world) happened() []string {
	w.Helper()
	var out []string
	for p := range partitions {
		commits, err := w.log.Read(w.Context(), p, 1, 5000)
		if err != nil {
			w.Fatalf("%v", err)
		}
		for _, c := range commits {
			events, err := codec.Decode(c)
			if err != nil {
				w.Fatalf("%v", err)
			}
			for _, ev := range events {
				switch e := ev.(type) {
				case event.Linked:
					out = append(out, fmt.Sprintf("linked %s %s by %s", e.A, e.B, e.Rule))
				case event.LinkSuggested:
					out = append(out, fmt.Sprintf("suggested %s %s by %s", e.A, e.B, e.Rule))
				case event.Unlinked:
					out = append(out, fmt.Sprintf("unlinked %s: %s", c.Stream, e.Reason))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) suggestions() (out []event.LinkSuggested) {
	w.Helper()
	for p := range partitions {
		commits, err := w.log.Read(w.Context(), p, 1, 5000)
		if err != nil {
			w.Fatalf("%v", err)
		}
		for _, c := range commits {
			events, err := codec.Decode(c)
			if err != nil {
				w.Fatalf("%v", err)
			}
			for _, ev := range events {
				if e, ok := ev.(event.LinkSuggested); ok {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// head is the last sequence of a stream, whoever wrote it.
func (w *world) head(stream string) (seq uint64) {
	w.Helper()
	for c, err := range w.log.Load(w.Context(), "default", stream, 0) {
		if err != nil {
			w.Fatalf("%v", err)
		}
		seq = c.Seq
	}
	return seq
}

func keys(reasons []event.Reason) []string { return link.Keys(reasons) }

// claimed is the last claim of a handle.
func (w *world) claimed(stream string) (last event.HandleClaimed) {
	w.Helper()
	for c, err := range w.log.Load(w.Context(), "default", stream, 0) {
		if err != nil {
			w.Fatalf("%v", err)
		}
		events, err := codec.Decode(c)
		if err != nil {
			w.Fatalf("%v", err)
		}
		for _, ev := range events {
			if e, ok := ev.(event.HandleClaimed); ok {
				last = e
			}
		}
	}
	return last
}
