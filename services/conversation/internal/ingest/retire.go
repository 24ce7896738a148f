package ingest

import (
	"context"
	"errors"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/handleid"
)

// retire hides the placeholder of an input that has been read. Nothing happens
// when there is none.
func (h *Handler) retire(ctx context.Context, in Input, into []string) error {
	raw := *in.Raw
	if raw.Tenant == "" {
		raw.Tenant = subject.DefaultTenant
	}
	id := h.placeholderID(raw)
	// It is in the stream of whoever had the handle then.
	owner, m, at, err := h.settle.Stored(ctx, raw.Tenant, handleid.Of(h.Keys, h.sender(raw, raw.Peek)), id)
	if err != nil || owner == "" {
		return err
	}
	cmd := customer.Reread{Message: id, Conversation: m.Conversation, Into: into}
	_, err = h.Customers.Execute(ctx, raw.Tenant, owner, aggregate.Turn[customer.State]{
		ID:     cmd.CommitID(),
		Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
		Actor:  "system", Cause: in.Ref, Trace: in.Trace, Seen: at,
	})
	if _, erased := errors.AsType[*customer.ErasedError](err); erased {
		return nil // nobody is shown it any more
	}
	return err
}
