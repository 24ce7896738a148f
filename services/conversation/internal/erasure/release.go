package erasure

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/internal/ledger"
)

// maxSeen is how many messages a release remembers. When a week had more, the
// cut-off is set later, so that what is not remembered counts as old.
const maxSeen = handle.LimitSeen / 2

// Release gives the handle of an erased customer up, for whoever meets it: a
// message that finds the fence. It is what the erasure itself does.
func (s *Service) Release(ctx context.Context, tenant, id string, _ int64, owner string) error {
	state, err := s.Customers.Load(ctx, tenant, owner)
	if err != nil || state.Erased == "" {
		return err
	}
	est, err := s.streams.Of(ctx, owner, id)
	if err != nil {
		return err
	}
	h := est.Handle(id)
	if h == nil || h.Last().Customer != owner {
		return nil
	}
	return s.releaseHandle(ctx, est, h, state.Erased)
}

func (s *Service) releaseHandle(ctx context.Context, est *estate.Estate, h *estate.Handle, eraseID string) error {
	cmd, err := s.remembered(ctx, est, h.ID)
	if err != nil {
		return err
	}
	cmd.Tenure, cmd.EraseID = h.Last().Number, eraseID
	return s.order(ctx, h.ID, cmd)
}

func (s *Service) order(ctx context.Context, id string, cmd handle.Command) error {
	_, err := s.Handles.Execute(ctx, s.Tenant, id, aggregate.Turn[handle.State]{
		ID:     cmd.CommitID(),
		Decide: func(st handle.State) ([]event.Event, error) { return handle.Decide(st, cmd) },
		Actor:  "system",
	})
	return err
}

// remembered are the messages over a handle that must not come back as new
// ones (those of the last week, and what an earlier release remembered), and
// the orders to write first that must not be carried out again.
func (s *Service) remembered(ctx context.Context, est *estate.Estate, id string) (handle.Release, error) {
	cut := s.Now().UTC().Truncate(time.Microsecond)
	out := handle.Release{Handle: id, CutOff: cut}
	type met struct {
		message string
		at      time.Time
	}
	var all []met
	outbound := uint64(0)
	err := s.streams.Walk(ctx, est, func(it estate.Item) error {
		switch v := it.Event.(type) {
		case event.ConversationOpened:
			if v.Outbound {
				outbound = it.Commit.Seq
			}
		case event.ReplyRequested:
			if v.Handle == id && outbound == it.Commit.Seq && !v.Imported {
				out.Started = append(out.Started, v.Reply)
			}
		case event.MessageReceived:
			if v.Handle == id && !v.OccurredAt.Before(cut.Add(-handle.Remembered)) {
				all = append(all, met{v.Message, v.OccurredAt})
			}
		case event.MessageChanged:
			if v.Handle == id && !v.OccurredAt.Before(cut.Add(-handle.Remembered)) {
				all = append(all, met{v.Change, v.OccurredAt})
			}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	slices.SortFunc(all, func(a, b met) int { return cmp.Or(a.at.Compare(b.at)*-1, cmp.Compare(a.message, b.message)) })
	if len(all) > maxSeen {
		out.CutOff = all[maxSeen].at.Add(handle.Remembered + time.Microsecond)
		all = all[:maxSeen]
	}
	for _, m := range all {
		out.Seen = append(out.Seen, m.message)
	}
	slices.Reverse(out.Seen) // the oldest first; what an earlier release remembers is joined with it
	return out, nil
}

// releases are what the ledger must know of the handles a customer had: those he
// gave up, and those that are somebody else's since.
func (s *Service) releases(ctx context.Context, e *Erasure, customer string) ([]ledger.Release, error) {
	var out []ledger.Release
	est, err := s.estateOf(ctx, e, customer)
	if err != nil {
		return nil, err
	}
	for _, h := range est.Handles {
		state, err := s.Handles.Load(ctx, s.Tenant, h.ID)
		if err != nil {
			return nil, err
		}
		r := ledger.Release{Handle: h.ID, Tenure: state.Tenure, Seen: state.Seen, CutOff: state.CutOff, Started: state.Started}
		if h.ReleasedBy != customer && !(e.Replayed && h.Released > 0) {
			r.Tenure, r.Moved = tenureOf(h, customer), true
			if r.Tenure == 0 || !state.Remembers(r.Tenure) {
				continue
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// tenureOf is the number of a customer's last tenure of a handle, 0 when he had none.
func tenureOf(h *estate.Handle, customer string) (n int64) {
	for _, p := range h.History {
		if p.Customer == customer {
			n = p.Number
		}
	}
	return n
}
