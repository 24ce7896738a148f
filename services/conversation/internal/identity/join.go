package identity

import (
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/join"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

// Join shows two conversations of one person as one. The join stays when the
// person is parted, and counts again when he is one again.
func (s *Service) Join(ctx context.Context, o Order, a, b string) (Done, error) {
	o, a, b, whose, err := s.conversations(ctx, o, a, b)
	if err != nil {
		return Done{}, err
	}
	if !slices.Contains(s.Reads.Graph().Members(whose[0]), whose[1]) {
		return Done{}, &customer.RefusedError{Reason: "these conversations are of two persons; merge them first"}
	}
	id := s.Keys.Hash("order/join", o.Tenant, o.Actor, a, b, o.Key)
	out, err := s.joinTurn(ctx, o, a, b, join.Join{Join: id, A: a, B: b, Customers: whose})
	if err != nil {
		return Done{}, err
	}
	if existing, ok := out.State.Joined(); ok && !out.Appended {
		id = existing
	}
	return done(id, out), nil
}

// Unjoin takes a join back, also of conversations that are two persons' by now.
func (s *Service) Unjoin(ctx context.Context, o Order, a, b, id string) (Done, error) {
	o, a, b, whose, err := s.conversations(ctx, o, a, b)
	if err != nil {
		return Done{}, err
	}
	out, err := s.joinTurn(ctx, o, a, b, join.Unjoin{Join: id, Customers: whose})
	return done(id, out), err
}

// conversations finds whose two conversations are, and puts them in order.
func (s *Service) conversations(ctx context.Context, o Order, one, other string) (Order, string, string, []string, error) {
	o, err := o.prepared()
	if err != nil {
		return o, "", "", nil, err
	}
	a, b, err := pair("a", one, other)
	if err != nil {
		return o, "", "", nil, err
	}
	whose := make([]string, 0, 2)
	for _, id := range []string{a, b} {
		c, ok, err := s.Reads.CustomerOf(ctx, o.Tenant, id)
		if err != nil {
			return o, "", "", nil, err
		}
		if !ok {
			return o, "", "", nil, &customer.NotFoundError{What: "conversation", ID: id}
		}
		whose = append(whose, c)
	}
	return o, a, b, whose, nil
}

func (s *Service) joinTurn(ctx context.Context, o Order, a, b string, c join.Command) (aggregate.Outcome[join.State], error) {
	out, err := s.Joins.Execute(ctx, o.Tenant, person.PairID(a, b), aggregate.Turn[join.State]{
		ID:     c.CommitID(),
		Decide: func(st join.State) ([]event.Event, error) { return join.Decide(st, c) },
		Actor:  o.Actor, Trace: o.Trace,
	})
	return out, translated(err)
}
