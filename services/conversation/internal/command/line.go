package command

import (
	"context"
	"slices"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// QualifyHandle says what kind of address a handle is: none, shared, role or
// blocked. A shared one becomes the handle of a line, a customer of its own,
// with all that came over it in this tenure; when it is shared no more, it goes
// back to whom it was taken from, unless he was erased or it was moved since.
func (s *Service) QualifyHandle(ctx context.Context, o Order, id, qualifier string) (claim.Owned, error) {
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	if err := length("idempotency_key", o.Key, 1, 200); err != nil {
		return claim.Owned{}, err
	}
	own, err := s.movable(ctx, o.Tenant, id)
	if err != nil {
		return own, err
	}
	cmd := handle.Qualify{
		ID: "qualify:" + s.Keys.Hash("order/qualify", o.Tenant, o.Actor, id, o.Key), Handle: id, Qualifier: qualifier,
		Line: s.Claims.NewCustomer(), At: s.now(),
	}
	if own.Line {
		from, err := s.Customers.Load(ctx, o.Tenant, own.From)
		if err != nil {
			return own, err
		}
		cmd.Back = from.Erased == ""
	}
	if own, err = s.Claims.Qualify(ctx, o.Tenant, cmd, claim.Author{Actor: o.Actor, Trace: o.Trace}); err != nil {
		return own, moveError(err)
	}
	return s.settle.Handle(ctx, o.Tenant, own)
}

// AttributeConversation says which customer spoke in a conversation over a
// shared handle; an empty speaker takes it back.
func (s *Service) AttributeConversation(ctx context.Context, o Order, speaker string) (Result, error) {
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	if speaker != "" {
		if !subject.ValidToken(speaker) {
			return Result{}, &customer.NotFoundError{What: "customer", ID: speaker}
		}
		who, err := s.Customers.Load(ctx, o.Tenant, speaker)
		switch {
		case err != nil:
			return Result{}, err
		case who.Erased != "":
			return Result{}, &customer.FieldError{Field: "customer_id", Problem: "was erased"}
		case !who.Exists:
			return Result{}, &customer.NotFoundError{What: "customer", ID: speaker}
		}
	}
	st, err := s.Customers.Peek(ctx, o.Tenant, o.Customer)
	if err != nil {
		return Result{}, err
	}
	cmd := customer.Attribute{ID: "cmd:" + s.id("attribute-conversation", o), Conversation: o.Conversation, Speaker: speaker}
	for _, h := range st.Handles {
		own, err := s.Claims.Peek(ctx, o.Tenant, h.ID)
		if err != nil {
			return Result{}, err
		}
		if own.Qualifier == handle.Shared {
			cmd.Shared = append(cmd.Shared, h.ID)
		}
	}
	slices.Sort(cmd.Shared)
	return s.run(ctx, o, step{cmd: func(uint64) customer.Command { return cmd }})
}
