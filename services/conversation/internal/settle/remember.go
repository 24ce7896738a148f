package settle

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// Forget is given before anything of an erased customer goes, for every handle
// he ever had: what he had over it stays known in the handle's own stream, as
// keyed hashes. A message of his that comes again, or an order to write first
// to him, is recognised by whoever has the handle then, although his stream
// and the timeline tell nothing of it any more.
func (s *Settler) Forget(ctx context.Context, tenant, id string) error {
	own, err := s.Load(ctx, tenant, id)
	if err != nil || len(own.Periods) < 2 {
		return err
	}
	w := &walk{Settler: s, tenant: tenant, own: own}
	return w.former(ctx)
}

// remember keeps known what erased former owners had, where no release did.
// Their streams are fenced: nothing comes to be theirs any more but by a later
// tenure, which owes its own.
func (w *walk) remember(ctx context.Context) error {
	owed := map[string]int{} // erased former owner → his last period
	for i, p := range w.own.Periods[:len(w.own.Periods)-1] {
		if w.erased[p.Customer] != "" {
			owed[p.Customer] = i
		}
	}
	maps.DeleteFunc(owed, func(_ string, i int) bool { return !w.own.Owes(i) })
	if len(owed) == 0 {
		return nil
	}
	all, err := w.came(ctx, w.tenant, w.own)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(owed)) {
		kept, err := w.his(ctx, w.tenant, all, id)
		if err != nil {
			return err
		}
		cmd := handle.Remember{
			Handle: w.own.ID, Tenure: w.own.Periods[owed[id]].Number, EraseID: w.erased[id],
			Seen: kept.seen, Started: kept.started, CutOff: kept.before,
		}
		if _, err := w.claims.Remember(ctx, w.tenant, cmd, claim.Author{Actor: "system", Cause: cmd.EraseID}); err != nil {
			return err
		}
	}
	return nil
}

// release ends the tenure of an erased owner. The ids of all that was his over
// the handle, however long ago and wherever it is stored, stay known.
func (s *Settler) release(ctx context.Context, tenant string, own claim.Owned) error {
	cmd := handle.Release{Handle: own.ID, Tenure: own.Tenure}
	err := s.history(ctx, tenant, own.Customer, func(c eventstore.Commit, e event.Event) bool {
		switch e := e.(type) {
		case event.CustomerErased:
			cmd.EraseID, cmd.CutOff = e.EraseID, c.RecordedAt
		case event.ErasureDone: // all that is left once his stream is purged
			if cmd.EraseID == "" {
				cmd.EraseID, cmd.CutOff = e.EraseID, c.RecordedAt
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	all, err := s.came(ctx, tenant, own)
	if err != nil {
		return err
	}
	kept, err := s.his(ctx, tenant, all, own.Customer)
	if err != nil {
		return err
	}
	cmd.Seen, cmd.Started = kept.seen, kept.started
	_, err = s.claims.Release(ctx, tenant, cmd, claim.Author{Actor: "system", Cause: cmd.EraseID})
	return err
}

// item is a message that came over a handle, or an order to write first over it.
type item struct {
	id      string
	started bool
	at      time.Time // it happened
	stored  string    // the customer whose stream it is in
	owner   string    // the one it belongs to; "" when the handle does not tell any more
}

// came yields what the streams of a handle's owners tell of it.
func (s *Settler) came(ctx context.Context, tenant string, own claim.Owned) (all []item, err error) {
	asked := map[string]bool{"": true}
	for _, p := range own.Periods {
		if asked[p.Customer] {
			continue
		}
		asked[p.Customer] = true
		opened := map[string]time.Time{} // by unit
		add := func(it item, unit string, tenure int64, first *time.Time) {
			if _, known := opened[unit]; !known {
				if opened[unit] = it.at; first != nil {
					opened[unit] = *first
				}
			}
			it.stored = p.Customer
			it.owner, _ = own.Periods.Owner(tenure, opened[unit])
			if it.id != "" {
				all = append(all, it)
			}
		}
		outbound := uint64(0)
		err := s.history(ctx, tenant, p.Customer, func(c eventstore.Commit, e event.Event) bool {
			switch e := e.(type) {
			case event.ConversationOpened:
				if e.Outbound {
					outbound = c.Seq
				}
			case event.MessageChanged:
				if e.Handle == own.ID {
					add(item{id: e.Change, at: e.OccurredAt}, e.Unit, e.Tenure, &e.OccurredAt)
				}
			case event.MessageReceived:
				if e.Handle == own.ID {
					add(item{id: e.Message, at: e.OccurredAt}, e.Unit, e.Tenure, e.UnitOpened)
				}
			case event.ReplyRequested:
				if e.Handle != own.ID {
					break
				}
				it := item{at: c.RecordedAt}
				if outbound == c.Seq && !e.Imported { // it was written first
					it.id, it.started = e.Reply, true
				}
				add(it, e.Unit, e.Tenure, e.UnitOpened)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// kept is what must stay known of an erased owner.
type kept struct {
	seen, started []string // oldest first
	before        time.Time
}

// his are the items of an erased customer: what belongs to him, wherever it is
// stored, and what is in his stream and belongs to nobody who lives. What moved
// on to somebody living stays in the stream, and is the other's.
func (s *Settler) his(ctx context.Context, tenant string, all []item, id string) (out kept, err error) {
	lives := map[string]bool{"": false, id: false}
	var mine []item
	for _, it := range all {
		if it.owner != id && it.stored != id {
			continue
		}
		if _, known := lives[it.owner]; !known {
			st, err := s.customers.Load(ctx, tenant, it.owner)
			if err != nil {
				return out, err
			}
			lives[it.owner] = st.Erased == ""
		}
		if !lives[it.owner] {
			mine = append(mine, it)
		}
	}
	slices.SortStableFunc(mine, func(a, b item) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	for _, it := range mine {
		if it.started {
			out.started = append(out.started, it.id)
		} else {
			out.seen = append(out.seen, it.id)
		}
	}
	if extra := len(out.seen) - handle.LimitSeen; extra > 0 {
		i := slices.IndexFunc(mine, func(it item) bool { return it.id == out.seen[extra-1] })
		out.before, out.seen = mine[i].at.Add(handle.Remembered+time.Microsecond), out.seen[extra:]
	}
	return out, nil
}
