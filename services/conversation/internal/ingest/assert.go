package ingest

import (
	"context"
	"fmt"
	"slices"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/handleid"
)

// FlagOffline marks an address that was typed for an answer when nobody was there.
const FlagOffline = "offline_capture"

// named says whether the address a message names as its sender's too is
// proven, or only asserted: by too little evidence, or typed.
func named(m channel.Message) (proven, asserted bool) {
	if m.ClaimsHandle == nil || m.ClaimsHandle.Address == "" {
		return false, false
	}
	proven = m.Assurance >= provenLevel && !slices.Contains(m.Flags, FlagOffline)
	return proven, !proven
}

// asserted is another address the message says is its sender's too. It moves
// nothing and is no evidence for a link; it may suggest one.
func (h *Handler) asserted(m channel.Message) *customer.Asserted {
	if _, asserted := named(m); !asserted {
		return nil
	}
	id := handleid.Of(h.Keys, *m.ClaimsHandle)
	if id == handleid.Of(h.Keys, m.From) {
		return nil
	}
	level := m.Assurance
	if slices.Contains(m.Flags, FlagOffline) {
		level = 0
	}
	return &customer.Asserted{
		Handle: id, Kind: m.ClaimsHandle.Kind, Assurance: level, Match: h.Claims.Match(*m.ClaimsHandle),
	}
}

// fillAsserted seals an asserted address under the key of the customer whose message says it.
func (h *Handler) fillAsserted(ctx context.Context, owner string, a channel.Address, e event.HandleAsserted) (event.HandleAsserted, error) {
	key := event.CustomerKey(owner)
	if err := h.Keys.Ensure(ctx, key); err != nil {
		return e, fmt.Errorf("key of a customer: %w", err)
	}
	var err error
	e.Address, err = seal.JSON(ctx, h.Keys, key,
		event.Address{Kind: a.Kind, Scope: a.Scope, Address: a.Address, Name: a.Name}, event.AssertionAAD(e.Message, e.Handle))
	return e, err
}
