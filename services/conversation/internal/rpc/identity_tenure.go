package rpc

import (
	"cmp"
	"context"
	"strconv"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/telemetry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// qualifiers by their names in events.
var qualifiers = map[identityv1.Qualifier]string{
	identityv1.Qualifier_QUALIFIER_NONE:    "none",
	identityv1.Qualifier_QUALIFIER_SHARED:  "shared",
	identityv1.Qualifier_QUALIFIER_ROLE:    "role",
	identityv1.Qualifier_QUALIFIER_BLOCKED: "blocked",
}

func qualifierOf(name string) identityv1.Qualifier {
	for q, n := range qualifiers {
		if n == name {
			return q
		}
	}
	return identityv1.Qualifier_QUALIFIER_NONE
}

func validFrom(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, field("valid_from", "is not a valid time")
	}
	return t.AsTime().UTC().Truncate(time.Microsecond), nil
}

// PreviewMove shows what leaves with a handle.
func (i Identity) PreviewMove(ctx context.Context, q *identityv1.PreviewMoveRequest) (*identityv1.PreviewMoveResponse, error) {
	from, err := validFrom(q.GetValidFrom())
	if err != nil {
		return nil, err
	}
	p, err := i.Tenures.PreviewMove(ctx, i.Tenant, q.GetHandleId(), q.GetTo(), from)
	if err != nil {
		return nil, err
	}
	out := &identityv1.PreviewMoveResponse{Token: p.Token, From: p.From}
	if p.Refused != nil {
		out.Refused = p.Refused.Error()
	}
	for _, m := range p.Moving {
		out.Moving = append(out.Moving, &identityv1.Moving{
			ConversationId: m.Conversation, Subject: m.Subject, Messages: int64(m.Messages), Whole: m.Whole,
			OpenedAt: timestamppb.New(m.OpenedAt),
		})
	}
	for _, d := range p.Dependents {
		out.Dependents = append(out.Dependents, &identityv1.HandleEvidence{
			Handle:    &inboxv1.Handle{Id: d.ID, Kind: d.Kind, Tenure: d.Tenure, Assurance: int32(d.Assurance)},
			Qualifier: qualifierOf(d.Qualifier), Evidence: d.Evidence.Kind, ThroughHandleId: d.Evidence.Handle,
			Since: timestamppb.New(d.Claimed),
		})
	}
	if len(p.Dependents) > 0 {
		out.Warnings = append(out.Warnings, &identityv1.Warning{
			Code: "claimed_through", Text: "Other handles were claimed by proof through this one. They stay unless you take them along.",
		})
	}
	return out, nil
}

// MoveHandle gives a handle to another customer.
func (i Identity) MoveHandle(ctx context.Context, q *identityv1.MoveHandleRequest) (*identityv1.MoveHandleResponse, error) {
	from, err := validFrom(q.GetValidFrom())
	if err != nil {
		return nil, err
	}
	if q.GetToken() == "" {
		return nil, field("token", "is required: preview the move first")
	}
	if err := reason(q.GetReason()); err != nil {
		return nil, err
	}
	moved, err := i.Tenures.MoveHandle(ctx, command.MoveHandle{
		Order: i.aboutHandle(ctx, q.GetIdempotencyKey()), Handle: q.GetHandleId(), To: q.GetTo(), ValidFrom: from,
		Token: q.GetToken(), Along: q.GetAlong(),
	})
	entry := audit.Entry{
		Action: audit.IdentityMove, Customer: moved.From, Object: audit.ID(q.GetHandleId()),
		IDs: ids("other", cmp.Or(moved.Customer, q.GetTo()), "move", moved.Move, "along", count(len(q.GetAlong()))),
	}
	if err == nil {
		i.shown(ctx, "handle."+q.GetHandleId(), "customer."+moved.From, "customer."+moved.Customer)
		entry = i.saying(ctx, entry, q.GetReason(), moved.From, moved.Customer)
	}
	if err := i.Did(ctx, entry, err); err != nil {
		return nil, err
	}
	return &identityv1.MoveHandleResponse{CustomerId: moved.Customer, MoveId: moved.Move}, nil
}

// QualifyHandle marks a handle as shared, role, blocked or none of these.
func (i Identity) QualifyHandle(ctx context.Context, q *identityv1.QualifyHandleRequest) (*identityv1.QualifyHandleResponse, error) {
	name, ok := qualifiers[q.GetQualifier()]
	if !ok {
		return nil, field("qualifier", "must be none, shared, role or blocked")
	}
	own, err := i.Tenures.QualifyHandle(ctx, i.aboutHandle(ctx, q.GetIdempotencyKey()), q.GetHandleId(), name)
	entry := audit.Entry{Action: audit.IdentityQualify, Customer: own.Customer, Object: audit.ID(q.GetHandleId()), IDs: ids("qualifier", name)}
	if err := i.Did(ctx, entry, err); err != nil {
		return nil, err
	}
	i.shown(ctx, "handle."+q.GetHandleId(), "customer."+own.From, "customer."+own.Customer)
	return &identityv1.QualifyHandleResponse{}, nil
}

// AttributeConversation says who spoke on a shared handle.
func (i Identity) AttributeConversation(ctx context.Context, q *identityv1.AttributeConversationRequest) (*identityv1.AttributeConversationResponse, error) {
	var r command.Result
	err := i.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (_ command.Result, err error) {
		r, err = i.Tenures.AttributeConversation(ctx, o, q.GetCustomerId())
		return r, err
	})
	return &identityv1.AttributeConversationResponse{}, i.Did(ctx, audit.Entry{
		Action: audit.IdentityAttribute, Customer: r.Customer, Conversation: audit.ID(q.GetConversationId()), IDs: ids("other", q.GetCustomerId()),
	}, err)
}

// SplitConversation shows some messages of a conversation as one of their own.
func (i Identity) SplitConversation(ctx context.Context, q *identityv1.SplitConversationRequest) (*identityv1.SplitConversationResponse, error) {
	out := &identityv1.SplitConversationResponse{}
	var r command.Result
	err := i.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (_ command.Result, err error) {
		r, err = i.Tenures.SplitConversation(ctx, o, q.GetEntryIds())
		out.ConversationId = r.Conversation
		return r, err
	})
	if err := i.Did(ctx, audit.Entry{
		Action: audit.IdentitySplit, Customer: r.Customer, Conversation: audit.ID(q.GetConversationId()), Object: r.Conversation,
		IDs: ids("entries", count(len(q.GetEntryIds()))),
	}, err); err != nil {
		return nil, err
	}
	return out, nil
}

// count of things for an entry; none is left out.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (i Identity) aboutHandle(ctx context.Context, key string) command.Order {
	who, _ := actor.From(ctx) // the guard has seen it
	return command.Order{Tenant: i.Tenant, Actor: who.ID, Key: keyOrNew(key), Trace: telemetry.Traceparent(ctx)}
}

// shown waits a little until reads show what was done in some streams.
func (i Identity) shown(ctx context.Context, streams ...string) {
	for _, stream := range streams {
		p := i.Events.PartitionOf(i.tenant(), stream)
		if head, err := i.Events.Head(ctx, p); err == nil {
			i.settle(ctx, p, head)
		}
	}
}
