package hosted

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// How long a name is believed, how long its absence is, how long a message
// waits for one, and how many are remembered.
const (
	nameLasts   = 12 * time.Hour
	namelessFor = 10 * time.Minute
	nameWait    = 3 * time.Second
	maxNames    = 20_000
)

// Names gives senders the names they have given themselves at a provider whose
// inputs hold ids alone. It is for the Verify of an adapter: the one place between
// a stored input and its message where a provider may be asked. A name is a claim
// like every other; what a sender is worth is left as it is. Safe for concurrent use.
type Names struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[channel.Address]known // by inbox (Name), kind, scope and address
}

type known struct {
	name  string
	until time.Time
}

// NewNames makes one.
func NewNames(d Deps) *Names {
	return &Names{now: d.WithDefaults().Now, known: map[channel.Address]known{}}
}

// Fill returns the items with the names of those senders that have none. ask
// finds one; an error and "" are no name, and the message goes on without it. It is
// asked about a sender now and then only, and waited for three seconds at most.
func (n *Names) Fill(ctx context.Context, inboxID string, items []channel.Item, ask func(context.Context, channel.Address) (string, error)) []channel.Item {
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	items = slices.Clone(items)
	for i, it := range items {
		if it.Message != nil && it.Message.From.Name == "" {
			m := *it.Message
			m.From.Name = n.of(ctx, inboxID, m.From, ask)
			items[i].Message = &m
		}
		if it.Change != nil && it.Change.From.Name == "" {
			c := *it.Change
			c.From.Name = n.of(ctx, inboxID, c.From, ask)
			items[i].Change = &c
		}
	}
	return items
}

func (n *Names) of(ctx context.Context, inboxID string, who channel.Address, ask func(context.Context, channel.Address) (string, error)) string {
	key := who
	key.Name = inboxID // accounts of one provider may be shown different names
	n.mu.Lock()
	had, ok := n.known[key]
	n.mu.Unlock()
	if ok && n.now().Before(had.until) {
		return had.name
	}
	name, err := ask(ctx, who)
	if err != nil && ctx.Err() != nil {
		return had.name // too slow today; a message that comes later asks again
	}
	lasts := nameLasts
	if name = DisplayName(name); err != nil || name == "" {
		name, lasts = had.name, namelessFor
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[key] = known{name, n.now().Add(lasts)}
	return name
}
