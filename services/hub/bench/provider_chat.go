package bench

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// chatSource writes by sockets.
func chatSource() source {
	return source{name: "chat", inbox: chatInboxNamed("chat"), unnumbered: true, write: func(ctx context.Context, hub *child, from, senders int) error {
		c := &crowd{hub: hub, inbox: "chat"}
		defer c.cut()
		people := make([]*sitter, senders)
		for i := range people {
			people[i] = &sitter{index: from + i}
		}
		c.members = people
		var g errgroup.Group
		g.SetLimit(posters)
		for _, s := range people {
			g.Go(func() error {
				if err := s.dial(ctx, hub, c.inbox); err != nil {
					return err
				}
				for range eachSays {
					if err := s.write(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return g.Wait()
	}}
}
