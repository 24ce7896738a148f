// Package hostedtest plays a hosted provider for the adapters' tests: an API
// that fails by script, and inboxes whose health can be read.
package hostedtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Registry is inboxes in memory.
type Registry struct {
	mu      sync.Mutex
	list    []inbox.Inbox
	health  map[string]inbox.Health
	changed chan struct{}
}

var _ inbox.Registry = (*Registry)(nil)

// Inboxes makes a registry.
func Inboxes(list ...inbox.Inbox) *Registry {
	return &Registry{list: list, health: map[string]inbox.Health{}, changed: make(chan struct{})}
}

// List implements inbox.Registry.
func (r *Registry) List(channel string) (out []inbox.Inbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range r.list {
		if channel == "" || in.Channel == channel {
			in.Settings = maps.Clone(in.Settings)
			out = append(out, in)
		}
	}
	return out
}

// Get implements inbox.Registry.
func (r *Registry) Get(id string) (inbox.Inbox, bool) {
	for _, in := range r.List("") {
		if in.ID == id {
			return in, true
		}
	}
	return inbox.Inbox{}, false
}

// Watch implements inbox.Registry.
func (r *Registry) Watch(ctx context.Context, channel string, fn func([]inbox.Inbox)) {
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		fn(slices.DeleteFunc(r.List(channel), func(in inbox.Inbox) bool { return in.Paused }))
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// SetHealth implements inbox.Registry.
func (r *Registry) SetHealth(id string, h inbox.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.health[id]
	if h.LastIn.IsZero() {
		h.LastIn = old.LastIn
	}
	if h.LastOut.IsZero() {
		h.LastOut = old.LastOut
	}
	if h.State == "" {
		h.State, h.Detail = old.State, old.Detail
	}
	r.health[id] = h
}

// Health implements inbox.Registry.
func (r *Registry) Health(id string) inbox.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health[id]
}

// Reported is Health for the conformance suite.
func (r *Registry) Reported(id string) channeltest.Health {
	h := r.Health(id)
	return channeltest.Health{State: h.State, Detail: h.Detail, LastIn: h.LastIn, LastOut: h.LastOut}
}

// Set changes one setting of an inbox, as an administrator would.
func (r *Registry) Set(id, key, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.list, func(in inbox.Inbox) bool { return in.ID == id })
	r.list[i].Settings = maps.Clone(r.list[i].Settings)
	r.list[i].Settings[key] = value
	r.list[i].Rev++
	close(r.changed)
	r.changed = make(chan struct{})
}

// Pause pauses an inbox or lets it go on, as an administrator would.
func (r *Registry) Pause(id string, paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.list, func(in inbox.Inbox) bool { return in.ID == id })
	r.list[i].Paused = paused
	close(r.changed)
	r.changed = make(chan struct{})
}

var errReadOnly = errors.New("inboxes of a test are not saved")

// Save implements inbox.Registry.
func (r *Registry) Save(context.Context, inbox.Inbox) (inbox.Inbox, error) {
	return inbox.Inbox{}, errReadOnly
}

// Delete implements inbox.Registry.
func (r *Registry) Delete(context.Context, string) error { return errReadOnly }
