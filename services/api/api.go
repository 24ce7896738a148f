// Package api is the channel for everything that has no adapter: an app's own
// chat, a contact form, a device. Its owner's backend posts signed JSON to the hub
// and is posted signed JSON; docs/api-channel.md walks through it with curl.
//
//	backend ──POST /hooks/api/<inbox>──► Door ──► Intake
//	Send ──POST <url>──► backend
//
// Both directions are signed as the Standard Webhooks specification 1.0 says:
// webhook-id, webhook-timestamp, webhook-signature.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Name is the channel's name, and the kind of its handles: the backend's own
// ids of its users, which mean something in one inbox alone.
const Name = "api"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	log    *slog.Logger
	now    func() time.Time
}

var _ interface {
	channel.Adapter
	channel.Typist
} = (*Adapter)(nil)

// New makes the adapter; requests are taken from the first moment.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	a := &Adapter{deps: d, caller: hosted.NewCaller(d), log: d.Log, now: d.Now}
	a.door = (&hosted.Door{Channel: Name, Limit: maxRequest, Admit: a.admit, Split: a.split}).Open(d)
	return a
}

// Channel is "api".
func (a *Adapter) Channel() string { return Name }

// Capabilities are the most that a backend can take; what it does with it is its own.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, HTML: true,
		Attachments: true, AttachmentLimit: maxFile, AttachmentsPerMessage: maxFiles,
		Typing: true, Reactions: true, Edits: true, Deletes: true, Delivered: true, ReadReceipts: true, Threads: true,
		IdempotentSend: true,
	}
}

// Routes mounts the door.
func (a *Adapter) Routes(mux *http.ServeMux) { a.door.Routes(mux) }

// Run watches the settings of the inboxes.
func (a *Adapter) Run(ctx context.Context) error {
	return hosted.Watch(ctx, a.deps.Inboxes, Name, func(in inbox.Inbox) error {
		_, err := readConfig(in.Settings)
		return err
	})
}
