package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// LimitReason bounds why an agent does something, in characters.
const LimitReason = 500

// MoveHandle gives a handle to another customer.
type MoveHandle struct {
	Order  // Conversation and Customer are ignored
	Handle string
	To     string // empty: a new customer
	// ValidFrom: units opened at or after it go along whole. Zero: now. For what
	// is refused see handle.Move.
	ValidFrom time.Time
	Token     string   // of PreviewMove with the same To and ValidFrom
	Along     []string // dependents that go too, from the same time on
}

// Moved says who owns the handle now.
type Moved struct {
	Customer string
	Move     string
	From     string
	Repeated bool
}

// MoveHandle moves a handle, and what was claimed through it where it is named.
// A *PreviewStaleError means that something has changed since the preview. The
// move is done when it is stored; what follows in the streams of both customers
// is done before this returns, or by whoever comes by next.
func (s *Service) MoveHandle(ctx context.Context, in MoveHandle) (Moved, error) {
	o := in.Order
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	if err := length("idempotency_key", o.Key, 1, 200); err != nil {
		return Moved{}, err
	}
	in.ValidFrom = in.ValidFrom.UTC().Truncate(time.Microsecond)
	own, err := s.movable(ctx, o.Tenant, in.Handle)
	if err != nil {
		return Moved{}, err
	}
	id := "move:" + s.Keys.Hash("order/move", o.Tenant, o.Actor, in.Handle, o.Key)
	now := s.now()
	cmd := handle.Move{
		ID: id, Handle: in.Handle, At: now, From: own.Customer, Tenure: own.Tenure, To: in.To,
		ValidFrom: in.ValidFrom, Reason: handle.ReasonAgent, Refuses: []string{own.Evidence.ID},
	}
	if cmd.ValidFrom.IsZero() {
		cmd.ValidFrom = now
	}
	by := claim.Author{Actor: o.Actor, Trace: o.Trace}
	out := Moved{Move: id}
	if out.Repeated = out.of(own, &cmd); !out.Repeated {
		p, err := s.preview(ctx, o.Tenant, own, in.To, in.ValidFrom)
		if err == nil {
			err = errors.Join(p.fresh(in.Token), p.Refused, in.among(p.Dependents))
		}
		if err != nil {
			return Moved{}, first(err)
		}
		if cmd.To == "" {
			cmd.To = s.Claims.NewCustomer()
		}
		if own, err = s.Claims.Move(ctx, o.Tenant, cmd, by); err != nil {
			return Moved{}, moveError(err)
		}
		if !out.of(own, &cmd) {
			return Moved{}, fmt.Errorf("move %s is not in the handle it moved", id)
		}
	}
	for _, g := range in.Along {
		if err := s.along(ctx, o.Tenant, g, cmd, by); err != nil {
			return Moved{}, err
		}
	}
	_, err = s.settle.Handle(ctx, o.Tenant, own)
	return out, err
}

// SettleHandle does what is left to do about a handle after a move or an
// erasure of its owner. Nothing happens when all of it is done.
func (s *Service) SettleHandle(ctx context.Context, tenant, id string) error {
	_, err := s.settle.Load(ctx, tenant, id)
	return err
}

// of finds the tenure the move began, and takes over whom it named the first time.
func (m *Moved) of(own claim.Owned, cmd *handle.Move) bool {
	for i, p := range own.Periods {
		if p.MoveID == m.Move && i > 0 {
			m.Customer, m.From = p.Customer, own.Periods[i-1].Customer
			cmd.From, cmd.To, cmd.ValidFrom = m.From, p.Customer, p.ValidFrom
			return true
		}
	}
	return false
}

// among refuses to take along what is no dependent.
func (in MoveHandle) among(dependents []Dependent) error {
	for _, g := range in.Along {
		if !slices.ContainsFunc(dependents, func(d Dependent) bool { return d.ID == g }) {
			return &customer.FieldError{Field: "along", Problem: g + " was not claimed through this handle"}
		}
	}
	return nil
}

// along moves a dependent, unless it is not the former owner's any more.
func (s *Service) along(ctx context.Context, tenant, id string, move handle.Move, by claim.Author) error {
	own, err := s.settle.Load(ctx, tenant, id)
	if err != nil || own.Customer != move.From {
		return err
	}
	move.Handle, move.Tenure, move.Refuses = id, own.Tenure, []string{own.Evidence.ID}
	if own.MoveID != "" && move.ValidFrom.Before(own.ValidFrom) {
		move.ValidFrom = own.ValidFrom
	}
	if own, err = s.Claims.Move(ctx, tenant, move, by); err != nil {
		return moveError(err)
	}
	_, err = s.settle.Handle(ctx, tenant, own)
	return err
}

// first is the gravest of joined errors: the first.
func first(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// moveError says in the words of orders what a handle refused.
func moveError(err error) error {
	if f, ok := errors.AsType[*handle.FieldError](err); ok {
		return &customer.FieldError{Field: f.Field, Problem: f.Problem}
	}
	if _, ok := errors.AsType[*handle.StaleError](err); ok {
		return &PreviewStaleError{Changes: []string{"the handle belongs to another customer now"}}
	}
	return err
}
