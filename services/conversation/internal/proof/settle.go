package proof

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// settle writes what follows from a right code, and ends the challenge. It may
// be called again at any step, also by several at once.
func (s *Service) settle(ctx context.Context, c challenge) (challenge, error) {
	out, err := s.follow(ctx, c)
	if err != nil {
		return c, err
	}
	c, _, err = s.change(ctx, c.id, func(c *challenge) bool {
		if c.State != Proven {
			return false
		}
		c.State, c.Owner, c.Link, c.Refused = out.State, out.Owner, out.Link, out.Refused
		return true
	})
	if err != nil {
		return c, err
	}
	return c, s.shred(ctx, c)
}

// outcome of a proven challenge.
type outcome struct {
	State                State
	Owner, Link, Refused string
}

// follow is the rule of identity: nobody's handle is claimed for who proved it;
// his own rises; another's rises too and both are linked, and it never moves.
// Whatever an agent moved since the challenge began is left as the agent wants it.
func (s *Service) follow(ctx context.Context, c challenge) (outcome, error) {
	void := outcome{State: Void}
	asker, err := s.Customers.Load(ctx, c.Tenant, c.Customer)
	if err != nil {
		return void, fmt.Errorf("load customer: %w", err)
	}
	if asker.Erased != "" {
		return void, nil
	}
	to, err := s.address(ctx, c)
	if errors.Is(err, crypt.ErrShredded) {
		return void, nil // it ended while its outcome was being written
	}
	if err != nil {
		return void, err
	}
	a := channel.Address{Kind: to.Kind, Address: to.Address}
	before, err := s.Handles.Load(ctx, c.Tenant, a)
	if err != nil {
		return void, fmt.Errorf("load handle: %w", err)
	}
	if moved(before, c.Tenure) {
		return void, nil
	}
	if c.Via != "" {
		via, _, err := s.Handles.Address(ctx, c.Tenant, c.Via)
		if _, gone := errors.AsType[*customer.NotFoundError](err); gone || errors.Is(err, crypt.ErrShredded) {
			return void, nil
		}
		if err != nil {
			return void, err
		}
		if via.Customer != c.Customer || via.Tenure != c.ViaTenure {
			return void, nil
		}
	}
	ev := event.Evidence{Kind: c.Method, Handle: c.Handle, Tenure: before.Tenure, ID: c.id}
	own, err := s.Handles.Claim(ctx, claim.Request{
		Tenant: c.Tenant, Address: a, Customer: c.Customer, Assurance: Level, Evidence: ev,
		Actor: c.Actor, Cause: c.id, Trace: c.Trace, Fresh: true,
	})
	if err != nil {
		return void, err
	}
	if moved(own, c.Tenure) {
		return void, nil
	}
	ev.Tenure = own.Tenure
	if before.Owned() || own.Customer != c.Customer { // a claim says it all
		if err := s.Handles.Prove(ctx, c.Tenant, own, Level, ev, c.Actor); err != nil {
			return void, err
		}
	}
	if err := s.attach(ctx, c, own); err != nil {
		return void, err
	}
	out := outcome{State: Passed, Owner: own.Customer}
	if own.Customer != c.Customer {
		out.Link, out.Refused, err = s.Links.LinkProven(ctx, c.Tenant, Link{
			Proof: c.id, Word: c.Method, A: c.Customer, B: own.Customer, Handle: own.ID, Kind: own.Kind, Address: to.Address,
			Owner: max(own.Assurance, Level), Trace: c.Trace,
		})
		if err != nil {
			return void, err
		}
	}
	return out, s.raiseVia(ctx, c, ev)
}

// raiseVia: who speaks over the handle the code came back over controls the
// address too, so what was said there is on firmer ground from now on.
func (s *Service) raiseVia(ctx context.Context, c challenge, ev event.Evidence) error {
	if c.Via == "" {
		return nil
	}
	via, _, err := s.Handles.Address(ctx, c.Tenant, c.Via)
	if err != nil {
		return err
	}
	return s.Handles.Prove(ctx, c.Tenant, via, Level, ev, c.Actor)
}

// moved says whether an agent gave the handle to somebody after a tenure.
func moved(o claim.Owned, since int64) bool { return o.MoveID != "" && o.Tenure > since }

// attach lets the handle's messages in at its owner, so that it is shown with
// him before the first one comes.
func (s *Service) attach(ctx context.Context, c challenge, own claim.Owned) error {
	cmd := own.Attach()
	_, err := s.Customers.Execute(ctx, c.Tenant, own.Customer, aggregate.Turn[customer.State]{
		ID:     cmd.CommitID(),
		Decide: func(st customer.State) ([]event.Event, error) { return customer.Decide(st, cmd) },
		Actor:  c.Actor, Cause: c.id, Trace: c.Trace,
	})
	if _, stale := errors.AsType[*customer.StaleTenureError](err); stale {
		return nil // it moved on: whoever comes next settles that
	}
	return err
}
