package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/telemetry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// byCustomer acts for who is at the other end of a channel.
const byCustomer = "customer"

// visiting puts the customer into the context as who acts: for the record.
func visiting(ctx context.Context) context.Context {
	who, _ := actor.From(ctx)
	return actor.With(ctx, actor.Actor{ID: byCustomer, Kind: byCustomer, From: who.From})
}

func handleOf(h *channelv1.ChannelHandle) (*channel.Address, error) {
	switch {
	case h.GetKind() == "" || h.GetInboxId() == "":
		return nil, field("handle", "needs inbox_id and kind")
	case h.GetAddress() == "" || len(h.GetAddress()) > 1000:
		return nil, field("handle.address", "must have 1 to 1000 bytes")
	}
	return &channel.Address{Kind: h.GetKind(), Scope: h.GetInboxId(), Address: h.GetAddress()}, nil
}

// StartHandleProof sends a code to an address somebody typed.
func (s *Server) StartHandleProof(ctx context.Context, q *channelv1.StartHandleProofRequest) (*channelv1.StartHandleProofResponse, error) {
	via, err := handleOf(q.GetHandle())
	if err != nil {
		return nil, err
	}
	st, err := s.Proofs.Start(ctx, proof.Request{
		Tenant: s.tenant(), Via: via, Address: channel.Address{Kind: q.GetKind(), Address: q.GetAddress()},
		Inbox: q.GetSendBy(), Actor: byCustomer, Trace: telemetry.Traceparent(ctx),
	})
	if err != nil {
		err = s.Refuse(ctx, err)
		if connect.CodeOf(err) == connect.CodeInvalidArgument || connect.CodeOf(err) == connect.CodeResourceExhausted {
			return nil, err // nothing was done, and strangers must not fill the record
		}
	}
	if err := s.Did(visiting(ctx), audit.Entry{
		Action: audit.ProofStarted, Customer: st.Customer, Object: st.ID,
		IDs: map[string]string{"method": proof.MethodCode, "inbox": audit.ID(q.GetSendBy()), "via": audit.ID(q.GetHandle().GetInboxId())},
	}, err); err != nil {
		return nil, err
	}
	return &channelv1.StartHandleProofResponse{ProofId: st.ID, ExpiresAt: timestamppb.New(st.Expires)}, nil
}

// CheckHandleProof takes a code over the handle that asked for it.
func (s *Server) CheckHandleProof(ctx context.Context, q *channelv1.CheckHandleProofRequest) (*channelv1.CheckHandleProofResponse, error) {
	via, err := handleOf(q.GetHandle())
	if err != nil {
		return nil, err
	}
	a, err := s.check(visiting(ctx), proof.Attempt{ID: q.GetProofId(), Secret: q.GetCode(), Via: via})
	if err != nil {
		return nil, err
	}
	out := &channelv1.CheckHandleProofResponse{Proven: a.Proven}
	if a.State == proof.Open {
		out.TriesLeft = int32(a.Tries)
	}
	return out, nil
}
