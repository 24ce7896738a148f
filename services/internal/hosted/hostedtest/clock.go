package hostedtest

import (
	"sync"
	"time"
)

// Clock is the hosted.Deps.After of tests: whoever waits by it does so until Minute.
type Clock struct {
	mu      sync.Mutex
	waiting []chan time.Time
}

// After is a wait that Minute ends, however long.
func (c *Clock) After(time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waiting = append(c.waiting, ch)
	return ch
}

// Minute ends all waits.
func (c *Clock) Minute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.waiting {
		ch <- time.Now()
	}
	c.waiting = nil
}
