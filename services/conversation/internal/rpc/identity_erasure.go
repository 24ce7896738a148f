package rpc

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/subject"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/erasure"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/telemetry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Erasures is who erases; *erasure.Service is meant.
type Erasures interface {
	Preview(ctx context.Context, customers []string) (*erasure.Preview, error)
	Erase(ctx context.Context, o erasure.Order) (*erasure.Erasure, error)
	Get(ctx context.Context, id string) (*erasure.Erasure, error)
	List(ctx context.Context, limit int, after string) ([]*erasure.Erasure, string, error)
	PreviewRetention(ctx context.Context) ([]erasure.Figures, error)
	Held(ctx context.Context, action, actor, customer, hold string) error
}

// Holds is what orders holds; *command.Service is meant.
type Holds interface {
	PlaceHold(ctx context.Context, o command.Order, reason string) (command.Result, error)
	LiftHold(ctx context.Context, o command.Order, hold string) (command.Result, error)
}

// PreviewErasure shows exactly what would be erased.
func (i Identity) PreviewErasure(ctx context.Context, q *identityv1.PreviewErasureRequest) (*identityv1.PreviewErasureResponse, error) {
	p, err := i.Erasures.Preview(ctx, q.GetCustomerIds())
	if err != nil {
		return nil, err
	}
	out := &identityv1.PreviewErasureResponse{Token: p.Token, Refused: p.Refused}
	for _, m := range p.Members {
		shown, err := i.erasureMember(ctx, m)
		if err != nil {
			return nil, err
		}
		out.Members = append(out.Members, shown)
	}
	for _, w := range p.Warnings {
		out.Warnings = append(out.Warnings, &identityv1.Warning{Code: w.Code, Text: w.Text})
	}
	return out, nil
}

func (i Identity) erasureMember(ctx context.Context, m erasure.Member) (*identityv1.ErasureMember, error) {
	out := &identityv1.ErasureMember{
		CustomerId: m.Customer, Messages: m.Messages, Replies: m.Replies, Notes: m.Notes, Attachments: m.Attachments,
	}
	c, err := i.Reader.Customer(ctx, m.Customer)
	if err != nil && !errors.Is(err, query.ErrNotFound) { // claimed for, and nothing said yet
		return nil, err
	}
	out.Name = c.GetName()
	for _, h := range m.Handles {
		shown, err := i.handleEvidence(ctx, h)
		if err != nil {
			return nil, err
		}
		out.Handles = append(out.Handles, shown)
	}
	if out.Holds, err = i.Reader.Holds(ctx, m.Customer); err != nil && !errors.Is(err, query.ErrNotFound) {
		return nil, err
	}
	return out, nil
}

// handleEvidence shows a handle and why it is believed to be its owner's.
func (i Identity) handleEvidence(ctx context.Context, h *estate.Handle) (*identityv1.HandleEvidence, error) {
	shown, err := i.Reader.Handle(ctx, h.ID)
	if err != nil {
		return nil, err
	}
	last := h.Last()
	claim := h.Claims[last.Number]
	out := &identityv1.HandleEvidence{Handle: shown, Evidence: claim.Evidence.Kind, Since: timestamppb.New(last.At)}
	if through := claim.Evidence.Handle; through != h.ID {
		out.ThroughHandleId = through
	}
	switch h.Qualifier {
	case "shared":
		out.Qualifier = identityv1.Qualifier_QUALIFIER_SHARED
	case "role":
		out.Qualifier = identityv1.Qualifier_QUALIFIER_ROLE
	case "blocked":
		out.Qualifier = identityv1.Qualifier_QUALIFIER_BLOCKED
	default:
		out.Qualifier = identityv1.Qualifier_QUALIFIER_NONE
	}
	for _, p := range h.History[:max(0, len(h.History)-1)] {
		t := &identityv1.Tenure{Number: p.Number, CustomerId: p.Customer, Since: timestamppb.New(p.At), Actor: h.Claims[p.Number].Actor}
		if !p.ValidFrom.IsZero() {
			t.ValidFrom = timestamppb.New(p.ValidFrom)
		}
		out.Tenures = append(out.Tenures, t)
	}
	return out, nil
}

// Erase begins an erasure of exactly the customers named. Its reason is in the
// audit log until they are erased, and goes with them; its reference stays.
func (i Identity) Erase(ctx context.Context, q *identityv1.EraseRequest) (*identityv1.EraseResponse, error) {
	who, _ := actor.From(ctx)
	if q.GetToken() == "" {
		return nil, field("token", "is required: PreviewErasure gives it")
	}
	if err := reason(q.GetReason()); err != nil {
		return nil, err
	}
	if ref := q.GetReference(); len(ref) > 64 || ref != audit.ID(ref) {
		return nil, field("reference", "must have at most 64 letters, digits or . _ : / = , -")
	}
	e, err := i.Erasures.Erase(ctx, erasure.Order{
		Customers: q.GetCustomerIds(), Token: q.GetToken(), Actor: who.ID, Key: keyOrNew(q.GetIdempotencyKey()),
		Reason: q.GetReason(), Reference: q.GetReference(),
	})
	if stale, ok := errors.AsType[*erasure.StaleError](err); ok {
		err = withDetail(connect.CodeFailedPrecondition, err, &identityv1.PreviewStale{Changes: stale.Changes})
	}
	if err != nil { // what was ordered is recorded by who erases, before anything is gone
		return nil, i.Did(ctx, audit.Entry{
			Action: audit.EraseOrdered, Customer: one(q.GetCustomerIds()),
			IDs: ids("customers", count(len(q.GetCustomerIds())), "reference", q.GetReference()),
		}, err)
	}
	return &identityv1.EraseResponse{Erasure: showErasure(e)}, nil
}

func showErasure(e *erasure.Erasure) *identityv1.Erasure {
	out := &identityv1.Erasure{
		Id: e.ID, CustomerIds: e.Customers, State: e.State, Actor: e.Actor, Trouble: e.Trouble, RequestedAt: timestamppb.New(e.RequestedAt),
	}
	if !e.DoneAt.IsZero() {
		out.DoneAt = timestamppb.New(e.DoneAt)
	}
	return out
}

// GetErasure says how far one is.
func (i Identity) GetErasure(ctx context.Context, q *identityv1.GetErasureRequest) (*identityv1.GetErasureResponse, error) {
	e, err := i.Erasures.Get(ctx, q.GetEraseId())
	if errors.Is(err, erasure.ErrNotFound) {
		return nil, query.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &identityv1.GetErasureResponse{Erasure: showErasure(e)}, nil
}

// ListErasures pages erasures, newest first.
func (i Identity) ListErasures(ctx context.Context, q *identityv1.ListErasuresRequest) (*identityv1.ListErasuresResponse, error) {
	size := int(q.GetPageSize())
	switch {
	case size < 0 || size > query.MaxPage:
		return nil, field("page_size", "must be 0 to 200")
	case size == 0:
		size = query.DefaultPage
	}
	const list = "erasures"
	after, err := i.Reader.ParsePageToken(list, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, next, err := i.Erasures.List(ctx, size, after)
	if errors.Is(err, docstore.ErrBadToken) {
		return nil, field("page_token", "is not one of ours")
	}
	if err != nil {
		return nil, err
	}
	out := &identityv1.ListErasuresResponse{}
	if next != "" {
		out.NextPageToken = i.Reader.PageToken(list, next)
	}
	for _, e := range page {
		out.Erasures = append(out.Erasures, showErasure(e))
	}
	return out, nil
}

// PlaceHold forbids erasure and retention of a customer.
func (i Identity) PlaceHold(ctx context.Context, q *identityv1.PlaceHoldRequest) (*identityv1.PlaceHoldResponse, error) {
	r, err := i.hold(ctx, audit.HoldPlaced, q.GetCustomerId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return i.HoldOrders.PlaceHold(ctx, o, q.GetReason())
	})
	return &identityv1.PlaceHoldResponse{HoldId: r.Entry}, err
}

// LiftHold ends a hold.
func (i Identity) LiftHold(ctx context.Context, q *identityv1.LiftHoldRequest) (*identityv1.LiftHoldResponse, error) {
	if q.GetHoldId() == "" {
		return nil, field("hold_id", "is required")
	}
	_, err := i.hold(ctx, audit.HoldLifted, q.GetCustomerId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return i.HoldOrders.LiftHold(ctx, o, q.GetHoldId())
	})
	return &identityv1.LiftHoldResponse{}, err
}

func (i Identity) hold(ctx context.Context, action, id, key string, do func(command.Order) (command.Result, error)) (command.Result, error) {
	if !subject.ValidToken(id) {
		return command.Result{}, field("customer_id", "is required")
	}
	who, _ := actor.From(ctx)
	r, err := do(command.Order{Tenant: i.Tenant, Actor: who.ID, Key: keyOrNew(key), Customer: id, Trace: telemetry.Traceparent(ctx)})
	if err != nil {
		return r, i.Did(ctx, audit.Entry{Action: action, Customer: id}, err)
	}
	if err := i.Erasures.Held(ctx, action, who.ID, id, r.Entry); err != nil {
		return r, err
	}
	i.settle(ctx, r.Commit.Partition, r.Commit.Seq)
	return r, nil
}

// PreviewRetention is the dry run of the retention policies.
func (i Identity) PreviewRetention(ctx context.Context, _ *identityv1.PreviewRetentionRequest) (*identityv1.PreviewRetentionResponse, error) {
	figures, err := i.Erasures.PreviewRetention(ctx)
	if err != nil {
		return nil, err
	}
	out := &identityv1.PreviewRetentionResponse{}
	for _, f := range figures {
		p := &identityv1.RetentionPolicy{
			InboxId: f.Inbox, Days: int32(f.Days), Conversations: f.Conversations, Messages: f.Messages, Held: f.Held,
		}
		if f.Oldest != (time.Time{}) {
			p.Oldest = timestamppb.New(f.Oldest)
		}
		out.Policies = append(out.Policies, p)
	}
	return out, nil
}
