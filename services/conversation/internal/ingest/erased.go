package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
)

// FlagBeforeErasure: the message is from before an erasure of its sender. That
// it came is kept, what it says is not.
const FlagBeforeErasure = "before_erasure"

// erasureMargin is how much older than an erasure a message must be to count as
// from before it: clocks differ, and mail is slow.
const erasureMargin = 7 * 24 * time.Hour

// beforeErasure takes what it says from a message that is from before the
// erasure of an earlier owner of its handle: mail imported or found again.
func beforeErasure(m channel.Message, cutOff time.Time) channel.Message {
	if cutOff.IsZero() || !m.OccurredAt.Before(cutOff.Add(-erasureMargin)) {
		return m
	}
	m.Content = channel.Content{}
	m.From.Name, m.Evidence, m.To, m.CC, m.References, m.Refs, m.ClaimsHandle = "", "", nil, nil, nil, nil, nil
	m.Flags = append(slices.Clone(m.Flags), FlagBeforeErasure)
	return m
}

// known says whether a message was taken in by a former owner of its address
// that is nobody's now: then nobody is claimed for. errReturned: its owner was
// erased, and nothing of it is kept.
func (h *Handler) known(ctx context.Context, tenant string, own claim.Owned, id string) (stored, bool, error) {
	if own.Knows(id) {
		return stored{}, false, errReturned
	}
	if own.Owned() || len(own.Periods) == 0 {
		return stored{}, false, nil
	}
	return h.before(ctx, tenant, own.ID, id)
}

// before finds a message with whoever has or had its sender's handle.
func (h *Handler) before(ctx context.Context, tenant, handle, id string) (stored, bool, error) {
	owner, _, _, err := h.settle.Stored(ctx, tenant, handle, id)
	if err != nil || owner == "" {
		return stored{}, false, err
	}
	st, err := h.Customers.Peek(ctx, tenant, owner)
	return stored{id: id, handle: handle, customer: owner, state: st}, err == nil, err
}

// knownError: the message is stored, and a handle that it would claim is nobody's any more.
type knownError struct{ stored }

func (e *knownError) Error() string { return "an owner of the address has the message" }

// errReturned: an erased owner of the address had the message.
var errReturned = errors.New("the message was an erased customer's")

// remembering is the timeline, and where it knows nothing the handle's stream:
// what an erased owner had is there before the timeline forgets it. A handle
// that had one owner only has nothing to tell.
type remembering struct {
	aggregate.Timeline
	claims *claim.Claimer
	handle claim.Owned
	erased bool // an erased owner had what was asked for
}

func (r *remembering) Known(ctx context.Context, tenant, entry string) (bool, error) {
	known, err := r.Timeline.Known(ctx, tenant, entry)
	if known || err != nil || r.handle.Alone() {
		return known, err
	}
	own, err := r.claims.Reload(ctx, tenant, r.handle.ID)
	r.erased = err == nil && own.Knows(entry)
	return r.erased, err
}

// forsake keeps nothing of a message that came again after its erasure.
func (h *Handler) forsake(ctx context.Context, in Input, id string, c channel.Content) error {
	if err := h.unfetch(ctx, id, c.Attachments); err != nil {
		return err
	}
	return h.discard(ctx, in.Ref)
}

// discard takes the original of a message that must not be kept out of IN again.
func (h *Handler) discard(ctx context.Context, ref string) error {
	if h.Discard == nil || ref == "" {
		return nil
	}
	if err := h.Discard(ctx, ref); err != nil {
		return fmt.Errorf("discard an original that came again: %w", err)
	}
	return nil
}
