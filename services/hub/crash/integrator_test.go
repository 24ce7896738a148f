package crash

import (
	"context"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/client"
	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
)

// integrator follows the public events over every death of the hub, from its
// own cursor, and keeps what it was told.
type integrator struct {
	mu       sync.Mutex
	cursor   string
	ids      map[string]bool            // of events: the same event may come twice
	messages map[string]int             // events about each message
	states   map[string]map[string]bool // every state of each reply
}

func newIntegrator() *integrator {
	return &integrator{ids: map[string]bool{}, messages: map[string]int{}, states: map[string]map[string]bool{}}
}

func (i *integrator) take(_ context.Context, e cloudevent.Event, cursor string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cursor = cursor
	if i.ids[e.ID] {
		return nil
	}
	i.ids[e.ID] = true
	switch e.Type {
	case "weftline.event.v1.MessageReceived":
		var m eventv1.MessageReceived
		if err := lenient.Unmarshal(e.Data, &m); err != nil {
			return err
		}
		i.messages[m.GetMessageId()]++
	case "weftline.event.v1.ReplyProgressed":
		var p eventv1.ReplyProgressed
		if err := lenient.Unmarshal(e.Data, &p); err != nil {
			return err
		}
		if i.states[p.GetReplyId()] == nil {
			i.states[p.GetReplyId()] = map[string]bool{}
		}
		i.states[p.GetReplyId()][p.GetState()] = true
	}
	return nil
}

func (i *integrator) after() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cursor
}

// follow subscribes until ctx ends. The hub is elsewhere after each start.
func (l *load) follow(ctx context.Context) {
	for ctx.Err() == nil {
		base := l.url()
		here, leave := context.WithCancel(ctx)
		var watch sync.WaitGroup
		watch.Go(func() {
			for here.Err() == nil && l.url() == base {
				wait(here, 20*time.Millisecond)
			}
			leave()
		})
		err := client.Subscribe(here, client.Config{URL: base, Token: l.caller.Token, After: l.integrator.after()}, l.integrator.take)
		if here.Err() == nil {
			l.complain("the event stream refused: %v", err)
		}
		leave()
		watch.Wait()
		wait(ctx, retryAfter)
	}
}
