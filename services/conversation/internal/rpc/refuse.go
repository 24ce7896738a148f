package rpc

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/eventstore"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
)

// changed is a refused reply with what was said meanwhile.
type changed struct {
	*customer.ChangedError
	newer []*inboxv1.TimelineEntry
}

func (c *changed) Unwrap() error { return c.ChangedError }

// refuted is a refused reply with the address it would have gone to.
type refuted struct {
	*customer.RefutedError
	handle *inboxv1.Handle
}

func (r *refuted) Unwrap() error { return r.RefutedError }

// Refuse turns an error into what a caller may see. What it does not know is
// logged here and not told.
func (s *Server) Refuse(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*connect.Error](err); ok {
		return err
	}
	if e, ok := errors.AsType[*query.FieldError](err); ok {
		return field(e.Field, e.Problem)
	}
	if e, ok := errors.AsType[*customer.FieldError](err); ok {
		return field(e.Field, e.Problem)
	}
	if e, ok := limited(err); ok {
		return e
	}
	if e, ok := errors.AsType[*changed](err); ok {
		return withDetail(connect.CodeFailedPrecondition, e, &inboxv1.ConversationChanged{Version: e.Version, Newer: e.newer})
	}
	if e, ok := errors.AsType[*refuted](err); ok {
		return withDetail(connect.CodeFailedPrecondition, e, &inboxv1.SenderRefuted{Answers: e.Message, Handle: e.handle, Evidence: e.Evidence})
	}
	if e, ok := errors.AsType[*identity.StaleError](err); ok {
		return withDetail(connect.CodeFailedPrecondition, e, &identityv1.PreviewStale{Changes: e.Changes})
	}
	if e, ok := errors.AsType[*customer.NotFoundError](err); ok {
		return connect.NewError(connect.CodeNotFound, fmt.Errorf("%s not found", e.What))
	}
	if e, ok := errors.AsType[*command.PreviewStaleError](err); ok {
		return withDetail(connect.CodeFailedPrecondition, e, &identityv1.PreviewStale{Changes: e.Changes})
	}
	if _, ok := errors.AsType[*customer.ErasedError](err); ok {
		return connect.NewError(connect.CodeFailedPrecondition, errors.New("the customer was erased"))
	}
	if e, ok := errors.AsType[*proof.OptedOutError](err); ok {
		return optedOut(e)
	}
	if e, ok := errors.AsType[*customer.UnreachableError](err); ok {
		detail := &inboxv1.SendRefused{Reason: e.Reason}
		if e.Reason == customer.OptedOut {
			detail.OptedOut = &inboxv1.Consent{HandleId: e.Handle, InboxId: e.Inbox, Wish: "out", At: view.Stamp(e.At.UnixMicro()), EntryId: e.Message}
		} else if !e.At.IsZero() {
			detail.WindowEndedAt = view.Stamp(e.At.UnixMicro())
		}
		return withDetail(connect.CodeFailedPrecondition, e, detail)
	}
	_, ended := errors.AsType[*customer.TenureEndedError](err)
	_, refused := errors.AsType[*customer.RefusedError](err)
	_, stale := errors.AsType[*customer.StaleTenureError](err)
	_, erased := errors.AsType[*customer.ErasedError](err)
	_, held := errors.AsType[*customer.HeldError](err)
	switch {
	case errors.Is(err, query.ErrNotFound):
		if e, ok := errors.AsType[*query.MissingError](err); ok {
			return connect.NewError(connect.CodeNotFound, e)
		}
		return connect.NewError(connect.CodeNotFound, query.ErrNotFound)
	case ended, refused, stale, erased, held:
		return connect.NewError(connect.CodeFailedPrecondition, err)
	case errors.Is(err, crypt.ErrShredded):
		return connect.NewError(connect.CodeFailedPrecondition, errors.New("what this refers to was erased"))
	case errors.Is(err, eventstore.ErrUnknown):
		return connect.NewError(connect.CodeUnavailable, errors.New("outcome unknown; repeat with the same idempotency_key"))
	case errors.Is(err, eventstore.ErrUnavailable):
		s.Log.WarnContext(ctx, "request gave up", "err", err)
		return connect.NewError(connect.CodeUnavailable, errors.New("the event store is busy; try again"))
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, context.DeadlineExceeded)
	case ctx.Err() != nil:
		return connect.NewError(connect.CodeCanceled, context.Canceled)
	}
	s.Log.ErrorContext(ctx, "request failed", "err", err)
	return connect.NewError(connect.CodeInternal, errors.New("internal error"))
}

// field refuses one field: "name: problem", and the same as google.rpc.BadRequest.
func field(name, problem string) error {
	return withDetail(connect.CodeInvalidArgument, fmt.Errorf("%s: %s", name, problem), &errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: name, Description: problem}},
	})
}

func withDetail(code connect.Code, err error, detail proto.Message) error {
	out := connect.NewError(code, err)
	if d, err := connect.NewErrorDetail(detail); err == nil {
		out.AddDetail(d)
	}
	return out
}
