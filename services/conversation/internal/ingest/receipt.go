package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/trial"
)

// Proofs are challenges under way, *proof.Service is meant. Their letters are
// outbound messages of no customer.
type Proofs interface {
	// Receipt returns nil for what it does not know: it never will.
	Receipt(ctx context.Context, tenant, outbound string, state channel.State) error
}

// Copies are what was brought to another address of a customer, *forward.Service
// is meant. They are outbound messages of no timeline, too.
type Copies interface {
	Receipt(ctx context.Context, r channel.Receipt) error
}

// receipt stores what the channel said about an outbound message. fromProvider:
// it was found in what the provider sent (a bounce), not reported by our sending.
func (h *Handler) receipt(ctx context.Context, in Input, r channel.Receipt, fromProvider bool) error {
	if r.Tenant == "" && in.Raw != nil {
		r.Tenant = in.Raw.Tenant
	}
	if r.Tenant == "" {
		r.Tenant = subject.DefaultTenant
	}
	if r.Channel == "" && in.Raw != nil {
		r.Channel, r.Inbox = in.Raw.Channel, in.Raw.Inbox
	}
	if r.At.IsZero() {
		r.At = h.Now()
	}
	if r.Outbound == "" && r.To.Address != "" {
		return h.until(ctx, in, r)
	}
	if trial.Is(r.Outbound) {
		return nil // nobody waits for it
	}
	if proof.Is(r.Outbound) { // of no timeline
		if h.Proofs == nil {
			return nil
		}
		return h.Proofs.Receipt(ctx, r.Tenant, r.Outbound, r.State)
	}
	if forward.Is(r.Outbound) {
		if h.Copies == nil {
			return nil
		}
		return h.Copies.Receipt(ctx, r)
	}
	return h.tell(ctx, in, r, fromProvider)
}

// tell finds the message a receipt is about, and stores what is said of it.
func (h *Handler) tell(ctx context.Context, in Input, r channel.Receipt, fromProvider bool) error {
	id := r.Customer
	var known *customer.Reply
	if state, err := h.peek(ctx, r.Tenant, id); err != nil {
		return err
	} else if _, ok := state.Reply(r.Outbound); !ok {
		if known, id, err = h.forgotten(ctx, r, id); err != nil {
			return err
		}
	}
	cmd := customer.Progress{
		Reply: r.Outbound, State: string(r.State), At: r.At.UTC().Truncate(time.Microsecond), Attempt: r.Attempt,
		Bounce: fromProvider, Known: known,
	}
	if r.ProviderID != "" {
		cmd.Refs = []string{h.Keys.Hash("ref", r.Tenant, r.Channel, r.ProviderID)}
	}
	for settled := false; ; {
		err := h.told(ctx, in, r, id, cmd)
		if _, erased := errors.AsType[*customer.ErasedError](err); erased {
			return errNothing // nobody is left to tell
		}
		if _, missing := errors.AsType[*customer.NotFoundError](err); missing {
			if settled {
				return errNothing
			}
			// It was ordered before it was sent: whoever has everything that is stored now has it.
			if err := aggregate.Settle(ctx, h.Timeline, h.Customers); err != nil {
				return err
			}
			settled = true
		} else if asked, ok := errors.AsType[*customer.RecallError](err); ok {
			if err := h.Timeline.WaitFor(ctx, h.Customers.Partition(r.Tenant, id), asked.Floor); err != nil {
				return fmt.Errorf("wait for the timeline: %w", err)
			}
			cmd.RecalledTo = asked.Floor
		} else {
			return err
		}
		if cmd.Known, id, err = h.forgotten(ctx, r, id); err != nil {
			return err
		}
	}
}

// errNothing: a receipt is about nothing that is here, for certain: what it is
// about was erased, or a restored backup never had it.
var errNothing = errors.New("the receipt is about nothing that is stored")

// dropped notes that a receipt is about nothing. Waiting would only keep what
// else comes from its sender.
func (h *Handler) dropped(in Input, r channel.Receipt) {
	h.Log.Warn("a receipt was dropped: the message it is about is not stored here",
		"channel", r.Channel, "inbox", r.Inbox, "reply", r.Outbound, "state", r.State, "ref", in.Ref)
}

// told appends what a receipt says. A *customer.NotFoundError where nobody is known to have the reply.
func (h *Handler) told(ctx context.Context, in Input, r channel.Receipt, id string, cmd customer.Progress) error {
	if id == "" {
		return &customer.NotFoundError{What: "reply", ID: r.Outbound}
	}
	_, err := h.Customers.Execute(ctx, r.Tenant, id, h.progress(in, r, cmd))
	return err
}

func (h *Handler) progress(in Input, r channel.Receipt, cmd customer.Progress) aggregate.Turn[customer.State] {
	return aggregate.Turn[customer.State]{
		Name:   cmd.CommitOn,
		Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
		Fill: func(ctx context.Context, s customer.State, es []event.Event) error {
			return h.fillDetail(ctx, r.Detail, s, cmd.Known, es)
		},
		Actor: "system", Cause: in.Ref, Trace: in.Trace,
	}
}

// forgotten looks up a reply no state holds, and whose it is; id where it is not known.
func (h *Handler) forgotten(ctx context.Context, r channel.Receipt, id string) (*customer.Reply, string, error) {
	found, ok, err := h.Replies.Reply(ctx, r.Tenant, r.Outbound)
	if err != nil {
		return nil, id, fmt.Errorf("look up reply: %w", err)
	}
	if !ok {
		return nil, id, nil
	}
	return &customer.Reply{
		ID: r.Outbound, Conversation: found.Conversation, Course: found.Course,
		Unit: event.UnitKey(found.Conversation, found.Handle, found.Tenure),
	}, found.Customer, nil
}

func (h *Handler) peek(ctx context.Context, tenant, id string) (customer.State, error) {
	if id == "" {
		return customer.State{}, nil
	}
	return h.Customers.Peek(ctx, tenant, id)
}

// fillDetail seals the channel's words under the key of the reply's unit.
func (h *Handler) fillDetail(ctx context.Context, detail string, s customer.State, known *customer.Reply, es []event.Event) error {
	p, ok := es[0].(event.ReplyProgressed)
	if !ok || detail == "" {
		return nil
	}
	reply, held := s.Reply(p.Reply)
	if !held || reply.Unit == "" {
		reply = known
	}
	if reply == nil || reply.Unit == "" {
		return nil
	}
	var err error
	p.Detail, err = seal.Text(ctx, h.Keys, reply.Unit, limit(detail, 2000), event.DetailAAD(p.Reply))
	es[0] = p
	return err
}
