package view

import (
	"context"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// Holds shows the legal holds in force on a customer, oldest first.
func (v *Viewer) Holds(ctx context.Context, c *readmodel.Customer) ([]*identityv1.Hold, error) {
	var out []*identityv1.Hold
	for _, h := range c.Holds {
		reason, err := v.text(ctx, h.Reason, event.HoldAAD(h.ID))
		if err != nil {
			return nil, err
		}
		out = append(out, &identityv1.Hold{Id: h.ID, CustomerId: c.ID, Reason: reason, Actor: h.Actor, At: Stamp(h.At)})
	}
	return out, nil
}
