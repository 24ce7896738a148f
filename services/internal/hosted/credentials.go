package hosted

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

// How long between two questions whether the credentials are good, and how long
// one may take: together they are under a minute.
const (
	askEvery = 45 * time.Second
	askWait  = 10 * time.Second
)

// ErrNotAsked is for inboxes whose credentials need no asking for: something else tells of them.
var ErrNotAsked = errors.New("the credentials are not asked for")

// credentialsRefused is what an inbox's health says after a 401.
const credentialsRefused = "the provider refuses the credentials (401)"

// Credentials asks the provider of each inbox of a channel whether it still takes
// the inbox's credentials, until ctx ends, so that a token that is revoked or has
// expired is shown within a minute without anybody sending. It is for channels to
// which everything comes by webhook: those that fetch notice by themselves.
//
// ask makes one cheap call that changes nothing, through the channel's Caller and
// with the context given, on which no message waits (Aside). Only an error that wraps
// channel.ErrNeedsAttention says that the credentials are refused; the network's faults and
// a provider that is ill say nothing of them. A provider that asks to wait is left alone
// for as long, and so is a paused inbox. When the credentials are taken again, the
// inbox's health is what it was before; what something else has told of it stays.
func Credentials(ctx context.Context, d Deps, channelName string, ask func(context.Context, inbox.Inbox) error) error {
	after := d.After
	if after == nil {
		after = time.After
	}
	var told sync.Map // by inbox, also after its settings have changed
	return Each(ctx, d.Inboxes, channelName, func(ctx context.Context, in inbox.Inbox) {
		c := credentials{inboxes: d.Inboxes, id: in.ID}
		if was, ok := told.Load(in.ID); ok {
			c.told = was.(string)
		}
		wait := rand.N(askEvery) // many inboxes are not asked for at once
		for {
			select {
			case <-ctx.Done():
				return
			case <-after(wait):
			}
			within, cancel := context.WithTimeout(asking(Aside(ctx)), askWait)
			err := ask(within, in)
			cancel()
			if ctx.Err() != nil {
				return
			}
			c.heard(err)
			told.Store(in.ID, c.told)
			wait = max(Patience(err, askEvery), askEvery)
		}
	})
}

// credentials are what is known of those of one inbox.
type credentials struct {
	inboxes inbox.Registry
	id      string
	before  inbox.Health // while they were good
	told    string       // what the health says since they are refused; "": they are good
}

func (c *credentials) heard(err error) {
	now := c.inboxes.Health(c.id)
	ours := now.State == stateAttention && (now.Detail == c.told || now.Detail == credentialsRefused)
	switch {
	case errors.Is(err, channel.ErrNeedsAttention):
		if c.told = now.Detail; now.State != stateAttention { // a Caller may have said it in its own words
			c.told = err.Error()
			c.inboxes.SetHealth(c.id, inbox.Health{State: stateAttention, Detail: c.told})
		}
	case err != nil:
	case ours:
		back := inbox.Health{State: "ok"}
		if c.before.State != "" {
			back.State, back.Detail = c.before.State, c.before.Detail
		}
		c.inboxes.SetHealth(c.id, back)
		c.told = ""
	default:
		c.before, c.told = now, ""
	}
}

const stateAttention = "needs_attention"

type askingKey struct{}

func asking(ctx context.Context) context.Context { return context.WithValue(ctx, askingKey{}, true) }

// Asking says whether a call is one of Credentials: what it is refused for other
// reasons than its credentials, such as a permission, is nothing to tell of the inbox.
func Asking(ctx context.Context) bool { return ctx.Value(askingKey{}) != nil }
