package view

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// NameAttribute is the attribute an agent sets to name a customer himself.
const NameAttribute = "name"

// Nameless stands for who has no name and no address.
const Nameless = "Visitor"

// Customer shows a customer with the handles he has now.
func (v *Viewer) Customer(ctx context.Context, c *readmodel.Customer, handles Handles) (*inboxv1.Customer, error) {
	out := &inboxv1.Customer{Id: c.ID, CreatedAt: Stamp(c.CreatedAt), LastAt: Stamp(c.LastAt), PersonId: c.ID, Erased: c.Erased()}
	if out.Erased {
		out.Name = ErasedName
		return out, nil
	}
	var err error
	if out.Name, err = v.Name(ctx, handles, c); err != nil {
		return nil, err
	}
	for _, ch := range c.Handles {
		if ch.Ended {
			continue
		}
		h, err := v.Handle(ctx, ch.Handle, ch.Tenure, handles[ch.Handle])
		if err != nil {
			return nil, err
		}
		h.Kind, h.Tenure = ch.Kind, ch.Tenure
		out.Handles = append(out.Handles, h)
	}
	for _, r := range c.Reaches {
		if said := consent(r); said != nil {
			out.Consents = append(out.Consents, said)
		}
	}
	out.Attributes, err = v.Attributes(ctx, c)
	return out, err
}

// Handle shows a handle as it is now, with the address a tenure has it under (0:
// the present one); h may be nil when nothing is known of it.
func (v *Viewer) Handle(ctx context.Context, id string, tenure int64, h *readmodel.Handle) (*inboxv1.Handle, error) {
	out := &inboxv1.Handle{Id: id}
	if h == nil {
		return out, nil
	}
	a, err := v.Address(ctx, h, tenure)
	out.Kind, out.Address, out.Tenure, out.Assurance = h.Kind, a.Address, h.Tenure, int32(h.Assurance(tenure))
	out.Refuted = h.Scope == channel.ScopeUnverified
	return out, err
}

// Address opens the address of a handle as a tenure has it (0: the present
// one); zero when it was erased.
func (v *Viewer) Address(ctx context.Context, h *readmodel.Handle, tenure int64) (event.Address, error) {
	sealed, tenure := h.AddressOf(tenure)
	of := addressOf{h.ID, tenure}
	if a, ok := v.known[of]; ok {
		return a, nil
	}
	var a event.Address
	plain, _, err := v.open(ctx, sealed, event.AddressAAD(h.ID, tenure))
	if err != nil {
		return a, err
	}
	if plain != nil {
		if err := json.Unmarshal(plain, &a); err != nil {
			return event.Address{}, fmt.Errorf("read address: %w", err)
		}
	}
	if v.known != nil {
		v.known[of] = a
	}
	return a, nil
}
