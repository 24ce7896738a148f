package erasure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/ledger"
)

// step is one way from a state to the next.
type step struct {
	from, to string
	do       func(*Service, context.Context, *Erasure) error
}

var steps = []step{
	{Requested, Fenced, (*Service).fence},
	{Fenced, Released, (*Service).release},
	{Released, Shredded, (*Service).shred},
	{Shredded, Cleaned, (*Service).clean},
	{Cleaned, Purged, (*Service).purge},
	{Purged, Done, (*Service).finish},
}

// advance takes the steps that are left. The state is durable after each.
func (s *Service) advance(ctx context.Context, e *Erasure) error {
	for _, st := range steps {
		if e.State != st.from {
			continue
		}
		if err := st.do(s, ctx, e); err != nil {
			return fmt.Errorf("erasure %s: from %s to %s: %w", e.ID, st.from, st.to, err)
		}
		e.State, e.Trouble = st.to, ""
		if len(e.Held) > 0 {
			e.Trouble = fmt.Sprintf("%d customers were put under a legal hold meanwhile and are not erased", len(e.Held))
		}
		if err := s.put(ctx, e); err != nil {
			return err
		}
		s.Step(st.to)
	}
	return nil
}

// members are the customers it erases: those nobody put under a hold in between.
func (e *Erasure) members() []string {
	return slices.DeleteFunc(slices.Clone(e.Customers), func(c string) bool { return slices.Contains(e.Held, c) })
}

// fence closes the customers' streams.
func (s *Service) fence(ctx context.Context, e *Erasure) error {
	for _, c := range e.members() {
		cmd := customer.Erase{Customer: c, EraseID: e.ID}
		err := s.decide(ctx, e, c, cmd)
		if _, held := errors.AsType[*customer.HeldError](err); held {
			e.Held = append(e.Held, c)
			if err := s.put(ctx, e); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		s.Step("fence:" + c)
	}
	return nil
}

func (s *Service) decide(ctx context.Context, e *Erasure, id string, cmd customer.Command) error {
	_, err := s.Customers.Execute(ctx, s.Tenant, id, aggregate.Turn[customer.State]{
		ID:     cmd.CommitID(),
		Decide: func(st customer.State) ([]event.Event, error) { return customer.Decide(st, cmd) },
		Actor:  e.Actor,
	})
	return err
}

// release gives the handles up.
func (s *Service) release(ctx context.Context, e *Erasure) error {
	for _, c := range e.members() {
		est, err := s.estateOf(ctx, e, c)
		if err != nil {
			return err
		}
		// Noted first: once released, nothing tells any more whose it was.
		for _, h := range est.Handles {
			if !slices.Contains(e.Handles, h.ID) {
				e.Handles = append(e.Handles, h.ID)
			}
		}
		if err := s.put(ctx, e); err != nil {
			return err
		}
		for _, h := range est.Handles {
			if h.Last().Customer == c {
				if err := s.releaseHandle(ctx, est, h, e.ID); err != nil {
					return err
				}
				s.Step("release:" + h.ID)
			}
			if e.Replayed { // the ledger says what is to be known
				continue
			}
			// It was moved away, or came from somebody else, or was moved just now.
			if err := s.Forget(ctx, s.Tenant, h.ID); err != nil {
				return err
			}
			s.Step("known:" + h.ID)
		}
	}
	return nil
}

// shred plans, writes the ledger, destroys the keys and leaves the tombstones.
func (s *Service) shred(ctx context.Context, e *Erasure) error {
	if !e.Planned {
		for _, c := range e.members() {
			parts, err := s.plan(ctx, e, c)
			if err != nil {
				return err
			}
			if err := s.putParts(ctx, parts); err != nil {
				return err
			}
		}
		e.Planned = true
		if err := s.put(ctx, e); err != nil {
			return err
		}
		s.Step("planned")
	}
	if err := s.write(ctx, e); err != nil {
		return err
	}
	s.Step("ledger")
	err := s.eachPart(ctx, e.ID, func(p part) error {
		for keys := range slices.Chunk(p.Keys, 500) {
			if err := s.Keys.Destroy(ctx, keys...); err != nil {
				return err
			}
		}
		s.Step("keys:" + strconv.Itoa(p.N))
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range e.members() {
		if err := s.tombstone(ctx, e, c); err != nil {
			return err
		}
		s.Step("tombstone:" + c)
	}
	return nil
}

// write puts the parts into the ledger, which says that they are destroyed:
// a hub restored from an older copy begins with it.
func (s *Service) write(ctx context.Context, e *Erasure) error {
	first := map[string]bool{}
	return s.eachPart(ctx, e.ID, func(p part) error {
		entry := ledger.Entry{
			ID: e.ID + "/" + p.Customer + "/" + strconv.Itoa(p.N), Kind: ledger.KindCustomer, At: s.Now().UTC(), Tenant: s.Tenant,
			Erase: e.ID, Customer: p.Customer, Actor: e.Actor, Handles: p.Handles, Keys: p.Keys, Blobs: p.Blobs, Inputs: p.Inputs,
			Conversations: p.Conversations, Replies: p.Replies,
		}
		if !first[p.Customer] {
			first[p.Customer] = true
			var err error
			if entry.Releases, err = s.releases(ctx, e, p.Customer); err != nil {
				return err
			}
		}
		if err := s.Ledger.Add(entry); err != nil {
			return err
		}
		return s.setApplied(ctx, entry.ID)
	})
}

// tombstone says that it is through, and what in the stream stays because it is others'.
func (s *Service) tombstone(ctx context.Context, e *Erasure, c string) error {
	est, err := s.streams.Of(ctx, c)
	if err != nil {
		return err
	}
	var kept []string
	for _, u := range est.Foreign {
		// Somebody else's whose erasure is not as far finds his messages here yet.
		owner, err := s.Customers.Load(ctx, s.Tenant, u.Owner)
		if err != nil {
			return err
		}
		if !owner.Buried && !slices.Contains(e.members(), u.Owner) {
			kept = append(kept, u.Key)
		}
	}
	return s.decide(ctx, e, c, customer.FinishErasure{Customer: c, EraseID: e.ID, Kept: kept})
}

// finish tells the audit log.
func (s *Service) finish(ctx context.Context, e *Erasure) error {
	e.DoneAt = s.Now().UTC()
	if s.Audit == nil {
		return nil
	}
	for _, c := range e.members() {
		if err := s.Audit.Record(ctx, Record{Actor: e.Actor, Action: audit.EraseCustomer, Customer: c, Object: e.ID}); err != nil {
			return err
		}
	}
	return nil
}
