// Package oneatatime keeps callers who want to do the same thing apart.
package oneatatime

import (
	"context"
	"sync"
)

// Gate lets one caller at a time work on an id. The zero value is ready; safe
// for concurrent use.
type Gate struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when its caller is done
}

// Begin waits for its turn; call done at the end. It fails only when ctx ends.
func (g *Gate) Begin(ctx context.Context, id string) (done func(), err error) {
	for {
		g.mu.Lock()
		other, taken := g.busy[id]
		if !taken {
			if g.busy == nil {
				g.busy = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			g.busy[id] = mine
			g.mu.Unlock()
			return func() {
				g.mu.Lock()
				delete(g.busy, id)
				g.mu.Unlock()
				close(mine)
			}, nil
		}
		g.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
