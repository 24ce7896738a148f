package ingest

import (
	"context"

	"github.com/weftline/weftline/services/internal/handleid"
)

// spare destroys the original of an input that brought nothing new: all that is
// in it was stored from another original, or it was about nothing that is
// stored. Providers bring things again long after the intake has forgotten them,
// and what no event names neither retention nor erasure would find.
//
// What is not found for certain keeps the original; so does an input that comes
// again because it was cut off, since what is stored of it names it.
func (h *Handler) spare(ctx context.Context, in Input, all []stored) error {
	if in.Again || in.Ref == "" || h.Discard == nil {
		return nil
	}
	for _, s := range all {
		if elsewhere, err := h.elsewhere(ctx, in, s); err != nil || !elsewhere {
			return err
		}
	}
	if shown, err := h.unread(ctx, in, all); err != nil || shown {
		return err
	}
	return h.discard(ctx, in.Ref)
}

// elsewhere says that a message is stored, and from another original.
func (h *Handler) elsewhere(ctx context.Context, in Input, s stored) (bool, error) {
	if s.appended || s.handle == "" {
		return false, nil
	}
	if ref, handle, err := h.origin(ctx, in, s.id); err != nil || ref != "" && handle == s.handle {
		return ref != in.Ref, err
	}
	owner, m, _, err := h.settle.Stored(ctx, in.Raw.Tenant, s.handle, s.id)
	return owner != "" && m.Raw != in.Ref, err
}

// unread says that this original is that of a placeholder: it could not be read
// when it came first.
func (h *Handler) unread(ctx context.Context, in Input, all []stored) (bool, error) {
	id := h.placeholderID(*in.Raw)
	if ref, _, err := h.origin(ctx, in, id); err != nil || ref != "" {
		return ref == in.Ref, err
	}
	peek := handleid.Of(h.Keys, h.sender(*in.Raw, in.Raw.Peek))
	for _, s := range all {
		if s.id == id || s.handle == peek && !s.state.SeenMessage(id) {
			return false, nil // its sender has none; his stream need not be read for that
		}
	}
	owner, m, _, err := h.settle.Stored(ctx, in.Raw.Tenant, peek, id)
	return owner != "" && m.Raw == in.Ref, err
}

func (h *Handler) origin(ctx context.Context, in Input, id string) (ref, handle string, err error) {
	if h.Origins == nil {
		return "", "", nil
	}
	return h.Origins.Origin(ctx, in.Raw.Tenant, id)
}
