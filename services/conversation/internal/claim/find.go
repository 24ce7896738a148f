package claim

import (
	"context"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Find returns the handle of an address with everything that is stored now; it may have no owner.
func (c *Claimer) Find(ctx context.Context, tenant string, a channel.Address) (Owned, error) {
	id := handleid.Of(c.keys, a)
	s, err := c.handles.Load(ctx, tenant, id)
	return Owned{ID: id, State: s}, err
}
