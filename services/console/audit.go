package console

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Audit keeps who logged in and who changed rights; *audit.Log is meant.
type Audit interface {
	Record(ctx context.Context, e audit.Entry) error
	RecordSync(ctx context.Context, e audit.Entry) error
	List(ctx context.Context, f audit.Filter, limit int, token string) ([]audit.Listed, string, error)
}

// did records a change, or the refusal of one, before it is answered, and
// returns the error to answer with.
func (c *Console) did(ctx context.Context, e audit.Entry, err error) error {
	e.Outcome, e.Reason = audit.Outcome(err)
	if lost := c.deps.Audit.RecordSync(ctx, e); lost != nil {
		c.unrecorded(ctx, lost)
		return errors.Join(err, connect.NewError(connect.CodeUnavailable, errors.New("done, but the audit log could not be written")))
	}
	return err
}

// noted records what happened at the door, where a failure changes nothing.
func (c *Console) noted(r *http.Request, e audit.Entry) {
	e.From = clientAddress(r)
	if err := c.deps.Audit.Record(r.Context(), e); err != nil {
		c.unrecorded(r.Context(), err)
	}
}

func (c *Console) unrecorded(ctx context.Context, err error) {
	if ctx.Err() == nil {
		c.deps.Log.Error("audit entry not recorded", "error", err)
	}
}

// clientAddress is the client's address; forwarded headers are believed of trusted proxies alone (package remote).
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// as puts an agent who is about to be one into the context.
func as(r *http.Request, agent string) context.Context {
	return actor.With(r.Context(), actor.Actor{ID: agent, Kind: actor.KindAgent, From: clientAddress(r)})
}

// Pages of ListAudit.
const (
	defaultAuditPage = 50
	maxAuditPage     = 200
)

// ListAudit is for owners. That somebody looked is an entry too.
func (r rpc) ListAudit(ctx context.Context, req *consolev1.ListAuditRequest) (*consolev1.ListAuditResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, r.did(ctx, audit.Entry{Action: audit.ReadAudit}, err)
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultAuditPage
	}
	if size < 1 || size > maxAuditPage {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("page_size: allowed are 1 to 200"))
	}
	f := audit.Filter{Actor: req.GetActor(), Action: req.GetAction(), Customer: req.GetCustomerId()}
	if req.GetSince() != nil {
		f.Since = req.GetSince().AsTime()
	}
	if req.GetUntil() != nil {
		f.Until = req.GetUntil().AsTime()
	}
	list, next, err := r.deps.Audit.List(ctx, f, size, req.GetPageToken())
	switch {
	case errors.Is(err, audit.ErrBadToken):
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("page_token: "+err.Error()))
	case err != nil:
		return nil, r.coded(ctx, err)
	}
	if err := r.deps.Audit.Record(ctx, audit.Entry{Action: audit.ReadAudit}); err != nil {
		return nil, r.coded(ctx, err)
	}
	res := &consolev1.ListAuditResponse{NextPageToken: next}
	for _, e := range list {
		res.Entries = append(res.Entries, &consolev1.AuditEntry{
			Number: int64(e.N), At: timestamppb.New(e.At), Actor: e.Actor, ActorKind: e.Kind, Action: e.Action,
			CustomerId: e.Customer, ConversationId: e.Conversation, ObjectId: e.Object,
			From: e.From, Outcome: e.Outcome, Reason: e.Reason, Ids: e.IDs,
			Why: e.Why, FromGone: e.FromGone, WhyGone: e.WhyGone,
		})
	}
	return res, nil
}
