package hosted

import (
	"context"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Each runs receive for every inbox of a channel, anew when its settings
// change, until ctx ends: the Run of an adapter that asks its provider. Of one
// inbox no two run at a time, and Each returns when all have.
func Each(ctx context.Context, inboxes inbox.Registry, channelName string, receive func(context.Context, inbox.Inbox)) error {
	type running struct {
		rev  int64
		stop context.CancelFunc
		done chan struct{}
	}
	all := map[string]running{}
	end := func(id string) {
		all[id].stop()
		<-all[id].done
		delete(all, id)
	}
	inboxes.Watch(ctx, channelName, func(list []inbox.Inbox) {
		there := map[string]bool{}
		for _, in := range list {
			there[in.ID] = true
			if r, ok := all[in.ID]; ok && r.rev == in.Rev {
				continue
			} else if ok {
				end(in.ID)
			}
			ctx, stop := context.WithCancel(ctx)
			r := running{rev: in.Rev, stop: stop, done: make(chan struct{})}
			all[in.ID] = r
			go func() {
				defer close(r.done)
				receive(ctx, in)
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
	return nil
}
