package claim

import (
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// fillClaim seals the address of a claimed handle.
func (c *Claimer) fillClaim(ctx context.Context, id string, a channel.Address, es []event.Event) error {
	for i, e := range es {
		claimed, ok := e.(event.HandleClaimed)
		if !ok {
			continue
		}
		clear := event.Address{Kind: a.Kind, Scope: a.Scope, Address: strings.TrimSpace(a.Address), Name: a.Name}
		key := event.AddressKey(id, claimed.Tenure)
		if err := c.keys.Ensure(ctx, key); err != nil {
			return fmt.Errorf("key of an address: %w", err)
		}
		var err error
		if claimed.Address, err = seal.JSON(ctx, c.keys, key, clear, event.AddressAAD(id, claimed.Tenure)); err != nil {
			return err
		}
		claimed.Match = c.Match(a)
		es[i] = claimed
	}
	return nil
}

// fillMove seals the address of a moved handle again, under the key of its new
// tenure: erasing the former owner must not take it from the new one.
func (c *Claimer) fillMove(ctx context.Context, s handle.State, es []event.Event) error {
	for i, e := range es {
		moved, ok := e.(event.HandleMoved)
		if !ok {
			continue
		}
		clear, err := seal.Open[event.Address](ctx, c.keys, s.Address, event.AddressAAD(s.ID, s.AddressTenure))
		if err != nil {
			return fmt.Errorf("address of handle %s: %w", s.ID, err)
		}
		key := event.AddressKey(s.ID, moved.Tenure)
		if err := c.keys.Ensure(ctx, key); err != nil {
			return fmt.Errorf("key of an address: %w", err)
		}
		if moved.Address, err = seal.JSON(ctx, c.keys, key, clear, event.AddressAAD(s.ID, moved.Tenure)); err != nil {
			return err
		}
		es[i] = moved
	}
	return nil
}

// Match are the keyed hashes of an address's folded forms.
func (c *Claimer) Match(a channel.Address) []string {
	if c.Variants == nil {
		return nil
	}
	return c.Variants(a)
}
