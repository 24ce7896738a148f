package law_test

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// purges are what an erasure takes out of the log: nobody loads it any more,
// although the test still sees it.
type purges struct {
	before map[string]uint64          // by stream: commits before it are gone
	kept   map[string]map[uint64]bool // but these
}

// purge does what an erasure does at its end: the customer's stream goes down to
// the tombstone and what belongs to others who are not as far, his handles' streams
// down to the release where nobody else ever owned them.
func (w *world) purge(ctx context.Context, e erasure) error {
	if !w.purged {
		return nil
	}
	stream := "customer." + e.customer
	var mine []stored
	kept, entries := map[string]bool{}, map[string]string{}
	for _, c := range w.all() {
		if c.Stream != stream {
			continue
		}
		mine = append(mine, c)
		for _, ev := range c.Events {
			if done, ok := ev.(event.ErasureDone); ok {
				w.gone.before[stream] = c.Seq
				for _, u := range done.Kept {
					kept[u] = true
				}
			}
		}
	}
	w.gone.kept[stream] = map[uint64]bool{}
	for _, c := range mine {
		for _, ev := range c.Events {
			if kept[estate.UnitOf(ev, entries)] {
				w.gone.kept[stream][c.Seq] = true
			}
		}
	}
	r := estate.Reader{Events: purgedStore{w.store, w}, Tenant: "default"}
	all, handles := w.histories()
	for _, id := range handles {
		had := false
		for _, p := range all[id] {
			had = had || p.Customer == e.customer
		}
		if !had {
			continue
		}
		h, err := r.LoadHandle(ctx, id)
		if err != nil {
			return err
		}
		if h.Released > 0 && h.Alone && (h.ReleasedBy == e.customer || h.ReleasedBy == "") {
			w.gone.before["handle."+id] = h.Released
		}
	}
	return nil
}

// foreign are the units in a customer's stream that are others', whose own
// erasure is not through: they stay.
func (w *world) foreign(id string) (units []string) {
	buried := w.buried()
	owners := w.derived()
	for key, u := range w.units() {
		if u.stored == id && owners[key] != "" && owners[key] != id && !buried[owners[key]] {
			units = append(units, key)
		}
	}
	slices.Sort(units)
	return units
}

// buried are the customers whose erasure is through.
func (w *world) buried() map[string]bool {
	out := map[string]bool{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			if _, ok := e.(event.ErasureDone); ok {
				out[c.of("customer")] = true
			}
		}
	}
	return out
}

// forgotten says that the timeline tells nothing of an entry any more: it was in
// an erased customer's stream, and no unit that is kept there. Of messages it is
// asked more than the read models do: it forgets those of his in others' streams too.
func (w *world) forgotten(entry string) bool {
	if !w.purged {
		return false
	}
	kept := map[string]map[string]bool{} // of buried customers
	for _, c := range w.all() {
		for _, e := range c.Events {
			if done, ok := e.(event.ErasureDone); ok {
				kept[c.of("customer")] = map[string]bool{}
				for _, u := range done.Kept {
					kept[c.of("customer")][u] = true
				}
			}
		}
	}
	for _, c := range w.all() {
		for _, e := range c.Events {
			units, buried := kept[c.of("customer")]
			switch e := e.(type) {
			case event.MessageReceived:
				if e.Message == entry {
					_, his := kept[w.derived()[e.Unit]]
					return his || buried && !units[e.Unit]
				}
			case event.MessageChanged:
				if e.Change == entry {
					_, his := kept[w.derived()[e.Unit]]
					return his || buried && !units[e.Unit]
				}
			case event.ReplyRequested:
				if e.Reply == entry {
					return buried && !units[e.Unit]
				}
			case event.NoteAdded:
				if e.Note == entry {
					return buried
				}
			}
		}
	}
	return false
}

// purgedStore is a store as it is once the purges are done.
type purgedStore struct {
	store
	w *world
}

func (s purgedStore) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[eventstore.Commit, error] {
	before, kept := s.w.gone.before[stream], s.w.gone.kept[stream]
	return func(yield func(eventstore.Commit, error) bool) {
		for c, err := range s.store.Load(ctx, tenant, stream, after) {
			if err == nil && c.Seq < before && !kept[c.Seq] {
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// LoadSnapshot: an erasure drops those of what it purges.
func (s purgedStore) LoadSnapshot(ctx context.Context, tenant, stream string) (eventstore.Snapshot, bool, error) {
	snap, ok, err := s.store.LoadSnapshot(ctx, tenant, stream)
	if snap.Seq < s.w.gone.before[stream] {
		return eventstore.Snapshot{}, false, err
	}
	return snap, ok, err
}

// tombstone says that an erasure is through: from here on his stream may be purged.
func (w *world) tombstone(e erasure) func(customer.State) ([]event.Event, error) {
	cmd := customer.FinishErasure{Customer: e.customer, EraseID: e.id, Kept: w.foreign(e.customer)}
	return func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) }
}

// rewriteKept takes from a commit what a release or a handle remembers.
func rewriteKept(a eventstore.Append, seen, started bool) eventstore.Append {
	if !strings.HasPrefix(a.Commit.ID, "release:") && !strings.HasPrefix(a.Commit.ID, "remember:") {
		return a
	}
	return rewrite(a, func(e event.Event) event.Event { return unkept(e, seen, started) })
}

// unkept is an event of a handle without what it remembers.
func unkept(e event.Event, seen, started bool) event.Event {
	switch e := e.(type) {
	case event.HandleReleased:
		if started {
			e.Started = nil
		}
		return e
	case event.HandleRemembered:
		if seen {
			e.Seen = nil
		}
		if started {
			e.Started = nil
		}
		return e
	}
	return e
}

// handlesKept is the writers' model: their snapshots know no more than the log.
func (f faults) handlesKept() aggregate.Model[handle.State] {
	m := aggregate.Handle()
	evolve := m.Evolve
	m.Evolve = func(s handle.State, c event.Commit) handle.State {
		if f.NoRemembered || f.NoStarted {
			c.Events = slices.Clone(c.Events)
			for i, e := range c.Events {
				c.Events[i] = unkept(e, f.NoRemembered, f.NoStarted)
			}
		}
		return evolve(s, c)
	}
	return m
}
