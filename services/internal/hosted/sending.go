package hosted

import (
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Sending reads the settings of the inbox that something goes out from. Where it
// is not there, or is one of another channel, or its settings are wrong, the
// error wraps channel.ErrNeedsAttention; of the last its health tells, too.
func Sending[C any](inboxes inbox.Registry, channelName, id string, read func(map[string]string) (C, error)) (C, error) {
	var none C
	in, ok := inboxes.Get(id)
	if !ok || in.Channel != channelName {
		return none, fmt.Errorf("inbox %s is not there: %w", id, channel.ErrNeedsAttention)
	}
	c, err := read(in.Settings)
	if err != nil {
		inboxes.SetHealth(id, inbox.Health{State: "needs_attention", Detail: err.Error()})
		return none, fmt.Errorf("%w: %w", channel.ErrNeedsAttention, err)
	}
	return c, nil
}
