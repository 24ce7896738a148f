package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/internal/handleid"
)

// owner is whose message it is.
type owner struct {
	handle claim.Owned
	also   []customer.Attach
	proof  *event.Proof // it proved to be of another customer than the handle's owner
}

// provenLevel is the assurance from which a proof claims a handle.
const provenLevel = 2

// owner finds the owner of the sender's handle. Nobody's handle is claimed:
// for the customer the message proves to belong to, else for a new one. A
// handle that is owned stays where it is, whatever is proven. *knownError or
// errReturned when a former owner had the message.
func (h *Handler) owner(ctx context.Context, in Input, m channel.Message, id string, fresh bool) (owner, error) {
	req := claim.Request{
		Tenant: in.Raw.Tenant, Address: m.From, Assurance: m.Assurance, Evidence: event.Evidence{Kind: "new", ID: id},
		Actor: "system", Cause: in.Ref, Trace: in.Trace, Fresh: fresh,
	}
	look := h.Claims.Look
	if fresh {
		look = h.Claims.Load
	}
	own, err := look(ctx, req.Tenant, m.From)
	if err != nil {
		return owner{}, err
	}
	req.Unless = func(ctx context.Context, own claim.Owned) error {
		before, known, err := h.known(ctx, req.Tenant, own, id)
		if known {
			err = &knownError{before}
		}
		return err
	}
	if err := req.Unless(ctx, own); err != nil {
		return owner{}, err // nothing is claimed for it, by proof neither
	}
	proven, also, ev, err := h.proven(ctx, req, m, id)
	if err != nil {
		return owner{}, err
	}
	if proven != "" {
		req.Customer, req.Evidence = proven, ev
	}
	if own, err = h.settle.Claim(ctx, req); err != nil {
		return owner{}, err
	}
	o := owner{handle: own}
	switch {
	case proven != "" && own.Customer != proven:
		if !refused(own, proven, provenAt(in, m), id) {
			o.proof = &event.Proof{Evidence: ev, Customer: proven}
		}
	case also != nil:
		o.also = []customer.Attach{*also}
	}
	return o, nil
}

// refused says whether a proof counts no more: the handle was moved away from
// the customer it speaks for, after the proof was given. Whoever moved it knew better.
func refused(own claim.Owned, proven string, at time.Time, id string) bool {
	if slices.Contains(own.Refuses, id) {
		return true
	}
	for i, p := range own.Periods {
		if i > 0 && p.MoveID != "" && own.Periods[i-1].Customer == proven && !at.After(p.At) {
			return true
		}
	}
	return false
}

// provenAt is when a message's proof was given: when the hub had it.
func provenAt(in Input, m channel.Message) time.Time {
	if at := in.Raw.ReceivedAt; !at.IsZero() {
		return at
	}
	return m.OccurredAt
}

// proven is the customer a message proves to belong to. Every proof comes down
// to "the sender controls handle g": the owner of g is meant.
func (h *Handler) proven(ctx context.Context, req claim.Request, m channel.Message, id string) (string, *customer.Attach, event.Evidence, error) {
	none := event.Evidence{}
	if proven, _ := named(m); proven {
		from, err := h.Claims.Look(ctx, req.Tenant, m.From)
		if err != nil {
			return "", nil, none, err
		}
		ev := event.Evidence{Kind: kindOf(m.Assurance), Handle: from.ID, Tenure: from.Tenure, ID: id}
		to, err := h.claimant(ctx, req.Tenant, from, *m.ClaimsHandle, m.Assurance)
		if err != nil {
			return "", nil, none, err
		}
		g, err := h.settle.Claim(ctx, claim.Request{
			Tenant: req.Tenant, Address: *m.ClaimsHandle, Customer: to, Assurance: m.Assurance,
			Evidence: ev, Actor: req.Actor, Cause: req.Cause, Trace: req.Trace, Fresh: req.Fresh,
			Unless: func(ctx context.Context, _ claim.Owned) error {
				// Released since: what was proven before is no proof of it any more.
				before, known, err := h.before(ctx, req.Tenant, from.ID, id)
				if known {
					err = &knownError{before}
				}
				return err
			},
		})
		if err != nil {
			return "", nil, none, err
		}
		a := g.Attach()
		return g.Customer, &a, event.Evidence{Kind: kindOf(m.Assurance), Handle: g.ID, Tenure: g.Tenure, ID: id}, nil
	}
	if m.Answers != "" && m.AnswersFromSame && m.Assurance >= provenLevel { // below it From is a claim, and the token a reference
		r, ok, err := h.Replies.Reply(ctx, req.Tenant, m.Answers)
		if err != nil || !ok {
			return "", nil, none, err
		}
		a, err := h.answered(ctx, req.Tenant, r)
		if err != nil || a == "" {
			return "", nil, none, err
		}
		return a, nil, event.Evidence{
			Kind: "reply_token", Handle: r.Handle, Tenure: r.Tenure,
			Unit: event.UnitKey(r.Conversation, r.Handle, r.Tenure), ID: m.Answers,
		}, nil
	}
	return "", nil, none, nil
}

// claimant is whose an address becomes that nobody owns and a sender proves to
// control: the owner of the sender's handle, else a new customer's. Nobody gets
// two different logins: then both are a new customer's, and the handle that was
// there stays with whom it was.
func (h *Handler) claimant(ctx context.Context, tenant string, from claim.Owned, g channel.Address, assurance int) (string, error) {
	if !from.Owned() || assurance < loginLevel {
		return from.Customer, nil
	}
	st, err := h.Customers.Peek(ctx, tenant, from.Customer)
	if err != nil {
		return "", err
	}
	id := handleid.Of(h.Keys, g)
	for _, other := range st.Handles {
		if other.Kind != g.Kind || other.ID == id || other.ID == from.ID || other.Tenure == 0 {
			continue
		}
		o, err := h.Claims.Peek(ctx, tenant, other.ID)
		if err != nil {
			return "", err
		}
		if o.Assurance >= loginLevel {
			return "", nil
		}
	}
	return from.Customer, nil
}

// loginLevel is the assurance of an integrator's login.
const loginLevel = 4

// answered is whose a message of ours is: the owner of its unit, not of the
// stream it is stored in.
func (h *Handler) answered(ctx context.Context, tenant string, r Reply) (string, error) {
	return h.settle.Owner(ctx, tenant, settle.Unit{
		Customer: r.Customer, Conversation: r.Conversation, Handle: r.Handle, Tenure: r.Tenure,
	}, false)
}

// kindOf names the evidence behind an assurance.
func kindOf(assurance int) string {
	switch {
	case assurance >= 4:
		return "login"
	case assurance == 3:
		return "code"
	case assurance == 2:
		return "attested"
	case assurance == 1:
		return "observed"
	}
	return "claimed"
}
