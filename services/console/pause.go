package console

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/inbox"
)

// SetInboxPaused pauses an inbox or lets it go on.
func (r rpc) SetInboxPaused(ctx context.Context, req *consolev1.SetInboxPausedRequest) (*consolev1.SetInboxPausedResponse, error) {
	res, err := r.setInboxPaused(ctx, req)
	e := audit.Entry{Action: audit.RightInboxResumed, Object: audit.ID(req.GetId())}
	if req.GetPaused() {
		e.Action = audit.RightInboxPaused
	}
	return res, r.did(ctx, e, err)
}

func (r rpc) setInboxPaused(ctx context.Context, req *consolev1.SetInboxPausedRequest) (*consolev1.SetInboxPausedResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, err
	}
	err := r.deps.Inboxes.SetPaused(ctx, req.GetId(), req.GetPaused())
	if errors.Is(err, inbox.ErrPausedInFile) {
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	}
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	in, _ := r.deps.Inboxes.Get(req.GetId())
	p := r.inboxProto(in, true)
	r.countWaiting(ctx, p)
	return &consolev1.SetInboxPausedResponse{Inbox: p}, nil
}
