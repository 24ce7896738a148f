package query

import (
	"context"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// Holds are the legal holds in force on a customer, oldest first; ErrNotFound
// when there is no such customer.
func (r *Reader) Holds(ctx context.Context, id string) ([]*identityv1.Hold, error) {
	p, release := r.live.Acquire()
	defer release()
	c, err := get[readmodel.Customer](ctx, r.store, p.Names().Customers, id)
	if err != nil {
		return nil, err
	}
	return r.view.Holds(ctx, c)
}

// Handle shows a handle as it is now.
func (r *Reader) Handle(ctx context.Context, id string) (*inboxv1.Handle, error) {
	p, release := r.live.Acquire()
	defer release()
	found, err := r.handles(ctx, p.Names(), []string{id})
	if err != nil {
		return nil, err
	}
	tenure := int64(0)
	if h := found[id]; h != nil {
		tenure = h.Tenure
	}
	return r.view.Handle(ctx, id, tenure, found[id])
}
