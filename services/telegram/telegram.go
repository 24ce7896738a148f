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

	"golang.org/x/sync/errgroup"

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
	d = d.WithDefaults()
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
		Typing: true, TypingLasts: 5 * time.Second, Reactions: true, Edits: true,
	}
}

// Routes mounts the door.
func (a *Adapter) Routes(mux *http.ServeMux) { a.door.Routes(mux) }

// Run receives for every inbox until ctx ends: it registers the webhook or polls.
// Of one bot no two may poll at once, which hosted.Each sees to.
func (a *Adapter) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hosted.Each(ctx, a.deps.Inboxes, Name, a.receive) })
	g.Go(func() error { return hosted.Credentials(ctx, a.deps, Name, a.try) })
	return g.Wait()
}

// try asks whether the provider takes the token of a bot that has a webhook; who polls asks all the time.
func (a *Adapter) try(ctx context.Context, in inbox.Inbox) error {
	c, err := a.config(in)
	if err != nil || c.webhook == "" {
		return hosted.ErrNotAsked
	}
	return a.call(ctx, in.ID, c, "getMe", struct{}{}, nil)
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
