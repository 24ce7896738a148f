// Package inbox is the registry of configured inboxes: from the config file,
// from the console and from the demo. Adapters watch it and start and stop
// what they run for an inbox without a restart of the hub.
package inbox

import (
	"context"
	"time"
)

// Sources of an inbox.
const (
	SourceFile    = "file"
	SourceConsole = "console"
	SourceDemo    = "demo"
)

// Inbox is one configured mailbox, widget, number or page.
type Inbox struct {
	ID       string // a subject token
	Channel  string // "email", "chat"
	Name     string // shown to agents, and to customers as the sender's name where the channel has one
	Source   string
	Settings map[string]string // by the channel's documented keys, secrets in clear: never log
	Rev      int64             // grows with every change of the settings
	// Paused: nothing is fetched and nothing is sent. What is brought to us (webhooks, visitors)
	// is taken and shown as ever; what agents write waits and goes out afterwards.
	Paused bool
	// Forget, for Save alone: keys of stored secrets that are to go. Others that come empty stay.
	Forget []string
	// PausedInFile: the configuration file says so; it cannot go on from the console.
	PausedInFile bool
}

// Health says how an inbox does.
type Health struct {
	State   string // ok, connecting, needs_attention, paused
	Detail  string // for people; no secrets
	LastIn  time.Time
	LastOut time.Time
	Since   time.Time
	// LastError is the last Detail of a state other than ok, and when it was told; it stays after things work again.
	LastError   string
	LastErrorAt time.Time
}

// StatePaused is the state of a paused inbox, whatever its adapter says.
const StatePaused = "paused"

// Registry lists inboxes. Safe for concurrent use.
type Registry interface {
	// List returns the inboxes of a channel ("" for all), by ID.
	List(channel string) []Inbox
	Get(id string) (Inbox, bool)
	// Watch calls fn with the inboxes of a channel that are not paused, now and after every change, one call
	// at a time, until ctx ends. So whoever fetches stops at a pause as it does when an inbox is removed.
	Watch(ctx context.Context, channel string, fn func([]Inbox))
	// SetHealth is called by adapters; LastIn and LastOut zero keep their value.
	SetHealth(id string, h Health)
	Health(id string) Health
	// Save and Delete change inboxes with SourceConsole only.
	Save(ctx context.Context, in Inbox) (Inbox, error)
	Delete(ctx context.Context, id string) error
}
