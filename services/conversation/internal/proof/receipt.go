package proof

import (
	"context"
	"errors"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// rank orders what channels say: a later receipt never goes back.
var rank = map[channel.State]int{
	channel.StateRetrying: 1, channel.StateUnknown: 2, channel.StateSent: 3, channel.StateDelivered: 4, channel.StateRead: 5, channel.StateFailed: 6,
}

// Receipt notes what a channel said about a challenge's letter. One that nobody
// remembers is no error: it is about something that is over. A letter that
// could not be delivered ends its challenge: the code came back to us at best.
func (s *Service) Receipt(ctx context.Context, tenant, id string, state channel.State) error {
	c, _, err := s.change(ctx, id, func(c *challenge) bool {
		if c.Tenant != tenant || rank[state] <= rank[channel.State(c.Delivery)] {
			return false
		}
		c.Delivery = string(state)
		return true
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err == nil && c.Tenant == tenant && c.Delivery == string(channel.StateFailed) && c.State == Open {
		_, err = s.end(ctx, id, Void)
	}
	return err
}
