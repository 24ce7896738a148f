package chat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Run serves until ctx ends, then says good-bye to every visitor (4010, with a
// spread retry time so that they do not come back all at once) and waits for
// the connections to close.
func (a *Adapter) Run(ctx context.Context) error {
	if err := declare(ctx, a.d.State); err != nil {
		return err
	}
	stop, err := a.followTyping()
	if err != nil {
		return err
	}
	defer stop()
	a.readied.Do(func() { close(a.ready) })

	var wg sync.WaitGroup
	wg.Go(func() { a.d.Inboxes.Watch(ctx, Name, a.inboxesChanged) })
	wg.Go(func() {
		tick := time.NewTicker(time.Hour)
		defer tick.Stop()
		for {
			if err := a.tidyUploads(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("old chat uploads not removed", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	wg.Go(func() {
		tick := time.NewTicker(a.timing.Follow)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := a.followUp(ctx); err != nil && ctx.Err() == nil {
					a.log.Warn("unread chat answers not followed", "error", err)
				}
			}
		}
	})
	wg.Go(func() {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				a.limits.sweep()
				a.rooms.sweep()
				a.pending.sweep(a.d.Now())
			}
		}
	})
	<-ctx.Done()
	wg.Wait()
	return a.drain()
}

func (a *Adapter) drain() error {
	a.draining.Store(true)
	for _, s := range a.rooms.shut() {
		spread := time.Duration(rand.Int64N(int64(a.timing.Spread))) + a.timing.Spread/20
		s.push(byeFrame{Type: "bye", RetryAfterMS: spread.Milliseconds()})
		s.end(closeDraining, "draining")
	}
	done := make(chan struct{})
	go func() { a.sessions.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(a.timing.Drain):
		return fmt.Errorf("chat: sessions did not end within %s", a.timing.Drain)
	}
}

// inboxesChanged closes what the new settings no longer allow.
func (a *Adapter) inboxesChanged(list []inbox.Inbox) {
	for _, in := range list {
		if _, ok := a.config(in.ID); ok {
			a.works(in.ID, inbox.Health{})
		}
	}
	for _, s := range a.rooms.all() {
		c, ok := a.config(s.inbox)
		switch {
		case !ok || !a.originAllowed(c, s.origin, s.host):
			s.end(closeForbidden, "no longer allowed")
		case c.Identity == identityRequired && s.login == nil,
			c.Identity == identityAnonymous && s.login != nil:
			s.end(closeAuth, "identity rules changed")
		}
	}
}
