package hosted

import (
	"errors"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

var errThrottled = errors.New("the provider asks to wait")

// Gate holds back an inbox whose provider asked to wait, and no other. The
// zero value is open.
type Gate struct {
	now   func() time.Time
	mu    sync.Mutex
	until map[string]time.Time
}

// Close holds an inbox back and returns the error that says how long.
func (g *Gate) Close(inbox string, d time.Duration) error {
	d = min(max(d, 0), 24*time.Hour)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	if at := g.clock().Add(d); at.After(g.until[inbox]) {
		g.until[inbox] = at
	}
	return &channel.RetryAfterError{After: d, Err: errThrottled}
}

// Closed says how long an inbox must wait still; nil: not at all.
func (g *Gate) Closed(inbox string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := g.until[inbox].Sub(g.clock())
	if wait <= 0 {
		delete(g.until, inbox)
		return nil
	}
	return &channel.RetryAfterError{After: wait, Err: errThrottled}
}

func (g *Gate) clock() time.Time {
	if g.now == nil {
		return time.Now()
	}
	return g.now()
}
