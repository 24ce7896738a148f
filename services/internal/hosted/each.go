package hosted

import (
	"context"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Each runs something for every inbox of a channel until ctx ends: it is
// started when an inbox comes, ended and started anew when its settings change,
// and ended when it goes. Two for one inbox never run at once. Each returns when all have.
func Each(ctx context.Context, inboxes inbox.Registry, channelName string, run func(context.Context, inbox.Inbox)) {
	type running struct {
		rev  int64
		stop context.CancelFunc
		done chan struct{}
	}
	all := map[string]*running{}
	end := func(id string) {
		all[id].stop()
		<-all[id].done
		delete(all, id)
	}
	inboxes.Watch(ctx, channelName, func(list []inbox.Inbox) {
		there := map[string]bool{}
		for _, in := range list {
			there[in.ID] = true
			if r := all[in.ID]; r != nil && r.rev == in.Rev {
				continue
			} else if r != nil {
				end(in.ID)
			}
			ctx, stop := context.WithCancel(ctx)
			r := &running{rev: in.Rev, stop: stop, done: make(chan struct{})}
			all[in.ID] = r
			go func() {
				defer close(r.done)
				run(ctx, in)
			}()
		}
		for id := range all {
			if !there[id] {
				end(id)
			}
		}
	})
	<-ctx.Done()
	for id := range all {
		end(id)
	}
}
