package aggregate

import (
	"container/list"
	"sync"
	"time"
)

// held is a folded state and where it stands. Immutable.
type held[S any] struct {
	state S
	seq   uint64    // of the stream's last commit; the expected sequence
	at    time.Time // its recorded_at
	since int       // commits since the last snapshot
}

// cache keeps the states used last. Safe for concurrent use. What it holds may
// be stale: the expected sequence finds out.
type cache[S any] struct {
	mu    sync.Mutex
	limit int
	order *list.List // of *slot, the last used in front
	slots map[string]*list.Element
}

type slot[S any] struct {
	key string
	h   held[S]
}

func newCache[S any](limit int) *cache[S] {
	return &cache[S]{limit: limit, order: list.New(), slots: map[string]*list.Element{}}
}

func (c *cache[S]) get(key string) (held[S], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.slots[key]
	if !ok {
		return held[S]{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*slot[S]).h, true
}

// put keeps h unless a newer state is there already.
func (c *cache[S]) put(key string, h held[S]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.slots[key]; ok {
		if s := e.Value.(*slot[S]); h.seq >= s.h.seq {
			s.h = h
		}
		c.order.MoveToFront(e)
		return
	}
	c.slots[key] = c.order.PushFront(&slot[S]{key: key, h: h})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.slots, last.Value.(*slot[S]).key)
	}
}
