package crypt

import (
	"container/list"
	"sync"
	"time"
)

// cache keeps the most recently used keys ready, and names that are known to be destroyed.
type cache struct {
	mu      sync.Mutex
	max     int
	recheck time.Duration // negative: never
	order   *list.List    // of *cached, most recent first
	byName  map[string]*list.Element
}

type cached struct {
	name string
	s    sealer // nil: destroyed
	at   time.Time
}

func newCache(size int, recheck time.Duration) *cache {
	return &cache{max: size, recheck: recheck, order: list.New(), byName: map[string]*list.Element{}}
}

// get returns a sealer, or dead, or neither.
func (c *cache) get(name string) (s sealer, dead bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byName[name]
	if !ok {
		return nil, false
	}
	k := e.Value.(*cached)
	if k.s != nil && c.recheck >= 0 && time.Since(k.at) > c.recheck {
		c.remove(e)
		return nil, false
	}
	c.order.MoveToFront(e)
	return k.s, k.s == nil
}

// put adds a live key and says whether it is one: not when it was killed meanwhile.
func (c *cache) put(name string, s sealer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byName[name]; ok && e.Value.(*cached).s == nil {
		return false
	}
	c.set(name, s)
	return true
}

func (c *cache) kill(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(name, nil)
}

func (c *cache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byName[name]; ok {
		c.remove(e)
	}
}

func (c *cache) set(name string, s sealer) {
	if e, ok := c.byName[name]; ok {
		c.remove(e)
	}
	c.byName[name] = c.order.PushFront(&cached{name: name, s: s, at: time.Now()})
	for c.order.Len() > c.max {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	c.order.Remove(e)
	delete(c.byName, e.Value.(*cached).name)
}
