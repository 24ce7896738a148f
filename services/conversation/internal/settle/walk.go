package settle

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

// walk is one way along a handle's periods.
type walk struct {
	*Settler
	tenant string
	own    claim.Owned

	carry  []customer.Carry  // units on their way to the period looked at
	seen   []string          // message ids of former owners, oldest first
	forgot bool              // they had more
	after  time.Time         // recorded_at of the newest commit looked at
	erased map[string]string // former owners who were erased → by which erasure
	reach  []event.Reached   // what they knew of writing to it
}

// walk fences every former owner and attaches the present one.
func (s *Settler) walk(ctx context.Context, tenant string, own claim.Owned) error {
	w := &walk{Settler: s, tenant: tenant, own: own}
	if err := w.former(ctx); err != nil {
		return err
	}
	return w.attach(ctx, own.Periods.Last())
}

// former fences every former owner, and keeps known what erased ones had.
func (w *walk) former(ctx context.Context) error {
	own := w.own
	since := own.Periods[0].Number
	for i, p := range own.Periods[:len(own.Periods)-1] {
		next := own.Periods[i+1]
		switch {
		case p.Customer == "": // released: what comes next begins anew
			w.carry, w.reach, since = nil, nil, next.Number
			continue
		case next.Customer == "":
			w.carry = nil // its owner was erased: that was the fence
			if _, err := w.look(ctx, p); err != nil {
				return err
			}
			continue
		}
		if err := w.fence(ctx, p, next, since); err != nil {
			return err
		}
	}
	return w.remember(ctx)
}

// look reads a former owner's stream and takes over what it has seen. The
// timeline must know all of it before anybody else begins: the next owner's
// state forgets it one day, and asks.
func (w *walk) look(ctx context.Context, p tenure.Period) (customer.State, error) {
	st, seq, at, err := w.customers.Tip(ctx, w.tenant, p.Customer)
	if err != nil {
		return st, err
	}
	if at.After(w.after) {
		w.after = at
	}
	if st.Erased != "" {
		if w.erased == nil {
			w.erased = map[string]string{}
		}
		w.erased[p.Customer] = st.Erased
	}
	had := st.Handle(w.own.ID).Seen
	w.forgot = w.forgot || had.Floor > 0
	for _, id := range slices.Concat(had.Old, had.New) {
		if !slices.Contains(w.seen, id) {
			w.seen = append(w.seen, id)
		}
	}
	for _, r := range st.Handle(w.own.ID).Inboxes { // who had it later knows better
		w.reach = slices.DeleteFunc(w.reach, func(o event.Reached) bool { return o.Inbox == r.Inbox })
		w.reach = append(w.reach, event.Reached{Inbox: r.Inbox, LastAt: r.LastAt, Out: r.Out, OutAt: r.OutAt, Message: r.Message, Unasked: r.Unasked, AskedAt: r.AskedAt})
	}
	if len(had.New) > 0 || had.Floor > 0 {
		if err := w.timeline.WaitFor(ctx, w.customers.Partition(w.tenant, p.Customer), seq); err != nil {
			return st, fmt.Errorf("wait for the timeline: %w", err)
		}
	}
	return st, nil
}

// fence ends a former period in its owner's stream, if nobody did yet, and
// takes up what goes on from there. Of what is under way, units that belong to
// this owner find their successors here, although he had the handle only in passing.
func (w *walk) fence(ctx context.Context, p, next tenure.Period, since int64) error {
	st, _, _, err := w.customers.Tip(ctx, w.tenant, p.Customer)
	if err != nil {
		return err
	}
	h := st.Handle(w.own.ID)
	goes := func(c customer.Carry) bool { return !c.OpenedAt.Before(next.ValidFrom) }
	purged := st.Buried || st.Erased != "" && !st.Exists // nothing is left that could leave
	if h.Fence < p.Number && !purged {
		stays := slices.ContainsFunc(w.carry, func(c customer.Carry) bool { return !goes(c) })
		if st.Erased == "" && h.Tenure < p.Number && stays {
			if err := w.attach(ctx, p); err != nil {
				return err
			}
		}
		cmd := customer.Detach{
			Handle: w.own.ID, Tenure: p.Number, Since: since, MoveID: next.MoveID, ValidFrom: next.ValidFrom,
		}
		if err := w.do(ctx, p.Customer, cmd, next.MoveID); err != nil {
			return err
		}
	}
	if st, err = w.look(ctx, p); err != nil {
		return err
	}
	// What he had is known to the handle, and what of it belongs to others to the timeline.
	w.forgot = w.forgot || st.Buried
	gone, there := st.Handle(w.own.ID).Went(p.Number)
	if gone.Attached {
		w.carry = nil // it had come here, and is among what left
	}
	passing := slices.DeleteFunc(slices.Clone(w.carry), func(c customer.Carry) bool { return !goes(c) })
	w.carry = passing
	if there {
		w.carry = append(w.carry, gone.Handed...)
	}
	return nil
}

// attach lets a period's messages in at its owner, with what is under way to him.
func (w *walk) attach(ctx context.Context, p tenure.Period) error {
	heads, err := w.heads(ctx, p)
	if err != nil {
		return err
	}
	cmd := customer.Attach{
		Handle: w.own.ID, Kind: w.own.Kind, Tenure: p.Number, Former: true, MoveID: p.MoveID, Heads: heads, Reach: w.reach,
		Seen: w.seen[max(0, len(w.seen)-limitSeen):], Forgot: w.forgot || len(w.seen) > limitSeen,
	}
	return w.do(ctx, p.Customer, cmd, p.MoveID)
}

// limitSeen bounds the ids handed over; older ones the timeline knows.
const limitSeen = 512

func (w *walk) do(ctx context.Context, id string, cmd customer.Command, cause string) error {
	_, err := w.customers.Execute(ctx, w.tenant, id, aggregate.Turn[customer.State]{
		ID:     cmd.CommitID(),
		Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
		Actor:  "system", Cause: cause, Seen: w.after,
	})
	return err
}

// heads are the conversations that go on at a period's owner: one successor for
// each conversation of which units are carried.
func (w *walk) heads(ctx context.Context, p tenure.Period) ([]customer.Head, error) {
	var out []customer.Head
	for _, c := range w.carry {
		i := slices.IndexFunc(out, func(h customer.Head) bool { return h.Conversation == c.Conversation })
		if i < 0 {
			if c.Inbox == "" {
				var err error
				if c.Channel, c.Inbox, err = w.wherefrom(ctx, c.Unit); err != nil {
					return nil, err
				}
			}
			i = len(out)
			out = append(out, customer.Head{
				Conversation: c.Conversation, Topic: c.Topic, Channel: c.Channel, Inbox: c.Inbox,
				Successor: w.keys.Hash("successor", w.tenant, c.Conversation, w.own.ID, strconv.FormatInt(p.Number, 10)),
			})
		}
		out[i].Units = append(out[i].Units, c.Handed)
	}
	return out, nil
}
