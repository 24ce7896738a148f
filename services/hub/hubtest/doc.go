// Package hubtest is what stands around a hub in a test: a mailbox that
// outlives it, an SMTP server that keeps what it is sent and misbehaves when
// told to, a visitor's widget, a caller of the API, and the hub's own process.
//
// Everything speaks the real protocols over 127.0.0.1. All types are safe for
// concurrent use.
package hubtest

import "sync"

// board is a state that others wait on.
type board struct {
	mu      sync.Mutex
	changed chan struct{}
}

// change runs fn under the lock and wakes who waits.
func (b *board) change(fn func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// look runs fn under the lock; the channel is closed at the next change.
func (b *board) look(fn func() bool) (bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return fn(), b.changed
}

// wait returns true as soon as fn is, false when over is closed first.
func (b *board) wait(over <-chan struct{}, fn func() bool) bool {
	for {
		ok, changed := b.look(fn)
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-over:
			ok, _ := b.look(fn)
			return ok
		}
	}
}
