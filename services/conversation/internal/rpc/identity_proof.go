package rpc

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/telemetry"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Proofs show that addresses are customers'; *proof.Service is meant.
type Proofs interface {
	Start(ctx context.Context, q proof.Request) (proof.Status, error)
	Check(ctx context.Context, q proof.Attempt) (proof.Answer, error)
	Get(ctx context.Context, tenant, id string) (proof.Status, error)
}

// StartProof sends a code or a link.
func (s Identity) StartProof(ctx context.Context, q *identityv1.StartProofRequest) (*identityv1.StartProofResponse, error) {
	switch {
	case q.GetCustomerId() == "":
		return nil, field("customer_id", "is required")
	case q.GetInboxId() == "":
		return nil, field("inbox_id", "is required")
	case q.GetHandleId() != "" && q.GetAddress() != "":
		return nil, field("address", "excludes handle_id")
	case q.GetHandleId() == "" && q.GetAddress() == "":
		return nil, field("handle_id", "or kind and address are required")
	case len(q.GetIdempotencyKey()) > 200:
		return nil, field("idempotency_key", "must have at most 200 bytes")
	}
	who, _ := actor.From(ctx) // the guard has seen it
	st, err := s.Proofs.Start(ctx, proof.Request{
		Tenant: s.tenant(), Customer: q.GetCustomerId(), Handle: q.GetHandleId(),
		Address: channel.Address{Kind: q.GetKind(), Address: q.GetAddress()}, Inbox: q.GetInboxId(), Method: method(q.GetLink()),
		Actor: who.ID, Key: q.GetIdempotencyKey(), Trace: telemetry.Traceparent(ctx),
	})
	err = s.Did(ctx, audit.Entry{
		Action: audit.ProofStarted, Customer: audit.ID(q.GetCustomerId()), Object: st.ID,
		IDs: map[string]string{"method": method(q.GetLink()), "inbox": audit.ID(q.GetInboxId())},
	}, err)
	if err != nil {
		return nil, err
	}
	return &identityv1.StartProofResponse{ProofId: st.ID, ExpiresAt: timestamppb.New(st.Expires)}, nil
}

func method(link bool) string {
	if link {
		return proof.MethodLink
	}
	return proof.MethodCode
}

// CheckProof takes a code.
func (s Identity) CheckProof(ctx context.Context, q *identityv1.CheckProofRequest) (*identityv1.CheckProofResponse, error) {
	if q.GetProofId() == "" {
		return nil, field("proof_id", "is required")
	}
	a, err := s.check(ctx, proof.Attempt{ID: q.GetProofId(), Secret: q.GetCode()})
	if err != nil {
		return nil, err
	}
	return &identityv1.CheckProofResponse{
		Proven: a.Proven, TriesLeft: int32(a.Tries), CustomerId: a.Owner, LinkId: a.Link, State: string(a.State), Refused: a.Refused,
	}, nil
}

// check takes something that came back, records it, and waits until reads show
// what follows.
func (s *Server) check(ctx context.Context, q proof.Attempt) (proof.Answer, error) {
	q.Tenant = s.tenant()
	a, err := s.Proofs.Check(ctx, q)
	e := audit.Entry{Action: audit.ProofPassed, Customer: a.Customer, Object: audit.ID(q.ID), IDs: map[string]string{}}
	if !a.Proven {
		e.Action, e.IDs["state"] = audit.ProofFailed, audit.ID(string(a.State))
	}
	for name, id := range map[string]string{"owner": a.Owner, "link": a.Link, "method": a.Method} {
		if id != "" {
			e.IDs[name] = audit.ID(id)
		}
	}
	if e.IDs["state"] == "" {
		delete(e.IDs, "state")
	}
	if err := s.Did(ctx, e, err); err != nil {
		return a, err
	}
	if a.Proven {
		s.shown(ctx, a)
	}
	return a, nil
}

// shown waits until reads have what a proof led to.
func (s *Server) shown(ctx context.Context, a proof.Answer) {
	for _, stream := range []string{"handle." + a.Handle, "customer." + a.Owner} {
		p := s.Events.PartitionOf(s.tenant(), stream)
		if head, err := s.Events.Head(ctx, p); err == nil {
			s.settle(ctx, p, head)
		}
	}
	if a.Link != "" {
		p := s.Events.PartitionOf(s.tenant(), "link."+min(a.Customer, a.Owner)+"."+max(a.Customer, a.Owner))
		if head, err := s.Events.Head(ctx, p); err == nil {
			s.settle(ctx, p, head)
		}
	}
}

// GetProof tells how one stands.
func (s Identity) GetProof(ctx context.Context, q *identityv1.GetProofRequest) (*identityv1.GetProofResponse, error) {
	if q.GetProofId() == "" {
		return nil, field("proof_id", "is required")
	}
	st, err := s.Proofs.Get(ctx, s.tenant(), q.GetProofId())
	if err != nil {
		return nil, err
	}
	return &identityv1.GetProofResponse{Proof: &identityv1.Proof{
		Id: st.ID, CustomerId: st.Customer, HandleId: st.Handle, Kind: st.Kind, Method: st.Method, State: string(st.State),
		Delivery: st.Delivery, TriesLeft: int32(st.Tries), CreatedAt: timestamppb.New(st.Created), ExpiresAt: timestamppb.New(st.Expires),
		OwnerId: st.Owner, LinkId: st.Link, Refused: st.Refused,
	}}, nil
}

// optedOut refuses to send a code to who wants nothing. Which message said so is
// not told: an integrator's backend may show this to its customers.
func optedOut(e *proof.OptedOutError) error {
	out := withDetail(connect.CodeFailedPrecondition, e, &inboxv1.SendRefused{
		Reason: e.Reason, OptedOut: &inboxv1.Consent{HandleId: e.Handle, InboxId: e.Inbox, Wish: "out", At: view.Stamp(e.At.UnixMicro())},
	})
	field, problem, _ := strings.Cut(e.Error(), ": ")
	detail, err := connect.NewErrorDetail(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: problem}}})
	if refused, ok := errors.AsType[*connect.Error](out); ok && err == nil {
		refused.AddDetail(detail)
	}
	return out
}

// limited refuses one who has had many codes sent.
func limited(err error) (error, bool) {
	e, ok := errors.AsType[*proof.LimitedError](err)
	if !ok {
		return nil, false
	}
	refused := connect.NewError(connect.CodeResourceExhausted, e)
	refused.Meta().Set("Retry-After", seconds(e.After))
	return refused, true
}
