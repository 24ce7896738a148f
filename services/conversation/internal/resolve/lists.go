package resolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Opener reads what is sealed.
type Opener interface {
	Open(ctx context.Context, s crypt.Sealed, aad []byte) ([]byte, error)
}

// noEvidence says why a handle is no evidence: what an agent or the hub marked
// it as, or the list its address is on. "" when it is good.
func (r *Resolver) noEvidence(ctx context.Context, f Fact) (string, error) {
	if f.over != "" {
		if h, err := r.index.handle(ctx, f.over); err != nil || h.Qualifier != "" {
			return h.Qualifier, err
		}
	}
	h, err := r.index.handle(ctx, f.Handle)
	if err != nil || h.Qualifier != "" {
		return h.Qualifier, err
	}
	sealed, aad := h.Address, event.AddressAAD(h.ID, h.AddressTenure)
	if h.Customer == "" {
		sealed, aad = f.claimed.Address, event.AssertionAAD(f.claimed.Message, f.claimed.Handle)
	}
	if len(sealed.Box) == 0 || r.blocked == nil {
		return "", nil
	}
	plain, err := r.keys.Open(ctx, sealed, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return "erased", nil
	}
	if err != nil {
		return "", fmt.Errorf("address of a handle: %w", err)
	}
	var a event.Address
	if err := json.Unmarshal(plain, &a); err != nil {
		return "", fmt.Errorf("address of a handle: %w", err)
	}
	if reason := r.blocked(a.Kind, a.Address); r.rules.blocks(reason) {
		return reason, nil
	}
	return "", nil
}
