package command

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// PlaceHold forbids erasure and retention of the order's Customer until it is
// lifted. The entry is the hold's id.
func (s *Service) PlaceHold(ctx context.Context, o Order, reason string) (Result, error) {
	if err := length("reason", reason, 1, LimitReason); err != nil {
		return Result{}, err
	}
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	o.Conversation = ""
	hold := s.id("hold", o)
	c := customer.PlaceHold{ID: "cmd:" + s.id("place_hold", o), Hold: hold}
	return s.run(ctx, o, step{
		entry: hold,
		cmd:   func(uint64) customer.Command { return c },
		fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
			h := es[0].(event.HoldPlaced)
			key := event.CustomerKey(o.Customer)
			if err := s.Keys.Ensure(ctx, key); err != nil {
				return fmt.Errorf("key of a customer: %w", err)
			}
			var err error
			h.Reason, err = seal.Text(ctx, s.Keys, key, reason, event.HoldAAD(hold))
			es[0] = h
			return err
		},
	})
}

// LiftHold ends a hold of the order's Customer.
func (s *Service) LiftHold(ctx context.Context, o Order, hold string) (Result, error) {
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	o.Conversation = ""
	c := customer.LiftHold{ID: "cmd:" + s.id("lift_hold/"+hold, o), Hold: hold}
	return s.run(ctx, o, step{entry: hold, cmd: func(uint64) customer.Command { return c }})
}
