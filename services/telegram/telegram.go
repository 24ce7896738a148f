// Package telegram is the channel for private chats with a Telegram bot.
//
//	Telegram ──POST /hooks/telegram/<inbox>──► Door ──┐ (webhook, where the hub has a public https address)
//	Telegram ◄──getUpdates── poll ────────────────────┴─► Intake, then 200 or the next offset
//	Send ──sendMessage, sendPhoto, sendDocument──► Telegram
//
// It speaks the Bot API (core.telegram.org/bots/api: "Getting updates", "Available
// types", "Available methods"). What is particular about it is in docs/quirks/telegram.md.
package telegram

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Name is the channel's name, and the kind of its handles: Telegram's ids of
// users, in the scope of their inbox.
const Name = "telegram"

// kindGroup is a group or a channel: never a customer's own address, and nothing is sent there.
const kindGroup = "telegram_group"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	steps  *hosted.Steps
	log    *slog.Logger
	now    func() time.Time
	look   time.Duration // between two looks at a webhook

	mu     sync.Mutex
	groups map[string]string // by inbox: what to say of the groups that the bot is in
	memory map[string]offset // where there is no state store
}

var _ interface {
	channel.Adapter
	channel.Typist
	channel.Fetcher
} = (*Adapter)(nil)

// New makes the adapter; requests are taken from the first moment.
func New(d hosted.Deps) *Adapter {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), steps: hosted.NewSteps(d, Name), log: d.Log, now: d.Now, look: 5 * time.Minute,
		groups: map[string]string{}, memory: map[string]offset{},
	}
	a.caller.Delay = delay
	a.door = (&hosted.Door{Channel: Name, Admit: a.admit, Split: a.split, Answer: answer}).Open(d)
	return a
}

// Channel is "telegram".
func (a *Adapter) Channel() string { return Name }

// Capabilities are the Bot API's. It tells neither of deletions nor of delivery, and drops no repeated sends.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, TextUnit: channel.UTF16Units, Parts: maxParts,
		Attachments: true, AttachmentLimit: maxFile, AttachmentsPerMessage: maxFiles,
		Typing: true, Reactions: true, Edits: true,
	}
}

// Routes mounts the door.
func (a *Adapter) Routes(mux *http.ServeMux) { a.door.Routes(mux) }

// Run receives for every inbox until ctx ends: it registers the webhook or polls.
func (a *Adapter) Run(ctx context.Context) error {
	type running struct {
		rev  int64
		stop context.CancelFunc
		done chan struct{}
	}
	all := map[string]*running{}
	end := func(id string) {
		all[id].stop()
		<-all[id].done
		delete(all, id)
	}
	a.deps.Inboxes.Watch(ctx, Name, func(list []inbox.Inbox) {
		there := map[string]bool{}
		for _, in := range list {
			there[in.ID] = true
			if r := all[in.ID]; r != nil && r.rev == in.Rev {
				continue
			} else if r != nil {
				end(in.ID) // two may not poll at once
			}
			ctx, stop := context.WithCancel(ctx)
			r := &running{rev: in.Rev, stop: stop, done: make(chan struct{})}
			all[in.ID] = r
			go func() {
				defer close(r.done)
				a.receive(ctx, in)
			}()
		}
		for id := range all {
			if !there[id] {
				end(id)
			}
		}
	})
	<-ctx.Done()
	for id := range all {
		end(id)
	}
	return nil
}

// receive runs one inbox until ctx ends, or until its settings are known to be wrong.
func (a *Adapter) receive(ctx context.Context, in inbox.Inbox) {
	c, err := a.config(in)
	switch {
	case err != nil:
		a.deps.Inboxes.SetHealth(in.ID, inbox.Health{State: "needs_attention", Detail: err.Error()})
	case c.webhook != "":
		a.keepWebhook(ctx, in.ID, c)
	default:
		a.poll(ctx, in.ID, c)
	}
}
