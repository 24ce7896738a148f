package sms

import (
	"context"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// links are the connections to SMSCs, one for each inbox of provider smpp.
type links struct {
	a       *Adapter
	mu      sync.Mutex
	list    map[string]*link
	changed chan struct{} // closed and replaced when list changes
}

// ready is the link of an inbox; it waits a little for one that is being made, as after a start.
func (l *links) ready(ctx context.Context, id string) *link {
	wait := time.NewTimer(2 * time.Second)
	defer wait.Stop()
	for {
		l.mu.Lock()
		k, changed := l.list[id], l.changed
		l.mu.Unlock()
		if k != nil {
			return k
		}
		select {
		case <-changed:
		case <-wait.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// run keeps a link for every such inbox, with its settings of now, until ctx ends.
func (l *links) run(ctx context.Context) {
	l.a.deps.Inboxes.Watch(ctx, Name, func(list []inbox.Inbox) {
		wanted := map[string]bool{}
		for _, in := range list {
			c, err := readConfig(in.Settings)
			if err != nil || c.provider != providerSMPP {
				continue
			}
			wanted[in.ID] = true
			if old := l.get(in.ID); old == nil || old.rev != in.Rev {
				l.put(in.ID, l.begin(ctx, in, c))
			}
		}
		for _, id := range l.ids() {
			if !wanted[id] {
				l.put(id, nil)
			}
		}
	})
	<-ctx.Done()
	for _, id := range l.ids() {
		l.put(id, nil)
	}
}

func (l *links) begin(ctx context.Context, in inbox.Inbox, c config) *link {
	if old := l.get(in.ID); old != nil {
		old.stop() // before the new one: many SMSCs allow one bind
	}
	k := &link{a: l.a, inbox: in.ID, rev: in.Rev, cfg: c, changed: make(chan struct{}), ended: make(chan struct{})}
	run, cancel := context.WithCancel(ctx)
	k.cancel = cancel
	go func() {
		defer close(k.ended)
		k.run(run)
	}()
	return k
}

func (l *links) get(id string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list[id]
}

func (l *links) put(id string, k *link) {
	l.mu.Lock()
	old := l.list[id]
	if k != nil {
		l.list[id] = k
	} else {
		delete(l.list, id)
	}
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	if old != nil {
		old.stop()
	}
}

func (l *links) ids() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.list {
		ids = append(ids, id)
	}
	return ids
}
