package conversation

import (
	"context"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/conversation/internal/rpc"
	"github.com/weftline/weftline/services/conversation/internal/settle"
)

// openProofs: codes and links that show that an address is somebody's.
func (s *Service) openProofs(ctx context.Context) (err error) {
	d := s.deps
	s.proofs, err = proof.New(ctx, proof.Deps{
		State: d.State, Keys: d.Keys, Outbox: sender{bus: d.Bus, keys: d.Keys}, Handles: settled{s.claims, s.settler}, Customers: s.customers,
		Links: proofLinks{s.resolver},
		Reach: s.reach, Own: d.Own, Workspace: s.cfg.Workspace, PublicURL: s.cfg.PublicURL, Now: s.cfg.Now, Log: s.log,
	})
	return err
}

// settled are handles with everything done that follows from a claim.
type settled struct {
	*claim.Claimer
	settler *settle.Settler
}

func (h settled) Claim(ctx context.Context, req claim.Request) (claim.Owned, error) {
	return h.settler.Claim(ctx, req)
}

// reach finds the channel of an inbox that can write to addresses of a kind.
func (s *Service) reach(inbox, kind string) (string, error) {
	ch, ok := s.channelOf(inbox)
	if !ok {
		return "", &customer.FieldError{Field: "inbox_id", Problem: "is not a configured inbox"}
	}
	return ch, command.Reaches(ch, kind)
}

// proofLinks lets the rules judge what was proven.
type proofLinks struct{ *resolve.Resolver }

func (l proofLinks) LinkProven(ctx context.Context, tenant string, p proof.Link) (id, refused string, err error) {
	return l.Resolver.LinkProven(ctx, tenant, resolve.Proven{
		Proof: p.Proof, Word: p.Word, A: p.A, B: p.B, Handle: p.Handle, Kind: p.Kind, Address: p.Address, Owner: p.Owner, Trace: p.Trace,
	})
}

// Proofs lets channels in this process have addresses proven.
func (s *Service) Proofs() channelv1connect.ProofServiceClient { return proofs{s.rpc} }

type proofs struct{ rpc *rpc.Server }

func (p proofs) StartHandleProof(ctx context.Context, q *channelv1.StartHandleProofRequest) (*channelv1.StartHandleProofResponse, error) {
	out, err := p.rpc.StartHandleProof(ctx, q)
	if err != nil {
		return nil, p.rpc.Refuse(ctx, err)
	}
	return out, nil
}

func (p proofs) CheckHandleProof(ctx context.Context, q *channelv1.CheckHandleProofRequest) (*channelv1.CheckHandleProofResponse, error) {
	out, err := p.rpc.CheckHandleProof(ctx, q)
	if err != nil {
		return nil, p.rpc.Refuse(ctx, err)
	}
	return out, nil
}
