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
}

// Health says how an inbox does.
type Health struct {
	State   string // ok, connecting, needs_attention, paused
	Detail  string // for people; no secrets
	LastIn  time.Time
	LastOut time.Time
	Since   time.Time
}

// Registry lists inboxes. Safe for concurrent use.
type Registry interface {
	// List returns the inboxes of a channel ("" for all), by ID.
	List(channel string) []Inbox
	Get(id string) (Inbox, bool)
	// Watch calls fn with the inboxes of a channel now and after every change, one call at a time, until ctx ends.
	Watch(ctx context.Context, channel string, fn func([]Inbox))
	// SetHealth is called by adapters; LastIn and LastOut zero keep their value.
	SetHealth(id string, h Health)
	Health(id string) Health
	// Save and Delete change inboxes with SourceConsole only.
	Save(ctx context.Context, in Inbox) (Inbox, error)
	Delete(ctx context.Context, id string) error
}

// Setting describes one key of a channel's settings, for checking and for the console's form.
type Setting struct {
	Key      string
	Label    string
	Help     string
	Secret   bool
	Required bool
	Default  string
	Values   []string // allowed values, nil for any
}

// Channel is what the registry needs to know of a channel to check settings.
type Channel struct {
	Name     string
	Settings []Setting
	// Check says what is wrong, naming key, value and what is allowed; errors are joined.
	Check func(settings map[string]string) error
	// Test tries to connect.
	Test func(ctx context.Context, in Inbox) error
}
