package hosted

import (
	"context"
	"maps"
	"slices"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Watch says of each inbox of a channel that it is ready, or by check what is
// wrong with its settings, whenever these change, until ctx ends. It is the Run
// of an adapter to which everything comes by webhook.
func Watch(ctx context.Context, inboxes inbox.Registry, channelName string, check func(inbox.Inbox) error) error {
	known := map[string]int64{}
	inboxes.Watch(ctx, channelName, func(list []inbox.Inbox) {
		maps.DeleteFunc(known, func(id string, _ int64) bool {
			return !slices.ContainsFunc(list, func(in inbox.Inbox) bool { return in.ID == id })
		})
		for _, in := range list {
			rev, again := known[in.ID]
			if again && rev == in.Rev {
				continue
			}
			known[in.ID] = in.Rev
			h := inbox.Health{State: "ok"}
			err := check(in)
			if was := inboxes.Health(in.ID).State; !again && err == nil && was != "" && was != "connecting" {
				continue // a call has told already
			}
			if err != nil {
				h = inbox.Health{State: "needs_attention", Detail: err.Error()}
			}
			inboxes.SetHealth(in.ID, h)
		}
	})
	<-ctx.Done()
	return nil
}
