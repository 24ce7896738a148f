// Package discord is the channel for direct messages to a Discord bot.
//
//	Discord ──gateway (websocket)──► listen ──► take ──► Intake, then the sequence is kept
//	Discord ◄──GET /channels/{id}/messages?after=── catchUp, where no session could be resumed
//	Send ──POST /channels/{id}/messages, nonce──► Discord
//
// It speaks version 10 of Discord's API (docs.discord.com). What is particular
// about it is in docs/quirks/discord.md.
package discord

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
	"github.com/weftline/weftline/services/internal/safedial"
)

// Name is the channel's name, and the kind of its handles: Discord's ids of
// users, in the scope of the inbox whose bot they wrote to.
const Name = "discord"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	caller *hosted.Caller
	files  *hosted.Caller // for files: what their server answers says nothing of the account
	full   hosted.Gate    // by inbox and lane: limits that are used up
	steps  *hosted.Steps
	kept   *kept
	dial   hosted.Dial
	log    *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	bots map[string]bot  // by inbox
	deaf map[string]bool // by inbox: nothing comes in, which a good send does not change
}

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Typist
} = (*Adapter)(nil)

// New makes the adapter.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), files: hosted.NewCaller(hosted.Deps{Client: d.Client, Now: d.Now}), steps: hosted.NewSteps(d, Name), kept: newKept(d),
		dial: d.Dial, log: d.Log, now: d.Now, bots: map[string]bot{}, deaf: map[string]bool{},
	}
	if a.dial == nil {
		a.dial = safedial.Dial(safedial.Config{Timeout: 30 * time.Second})
	}
	a.caller.Lane, a.caller.Delay, a.caller.Limit = lane, delay, 16<<20
	return a
}

// Channel is "discord".
func (a *Adapter) Channel() string { return Name }

// Capabilities are a bot's. Discord tells neither of delivery nor of reading.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, TextUnit: channel.UTF16Units, Parts: maxParts,
		Attachments: true, AttachmentLimit: maxFile, AttachmentsPerMessage: maxFiles,
		Typing: true, TypingLasts: typingLasts, Reactions: true, Edits: true, Deletes: true, IdempotentSend: true,
	}
}

// Routes mounts nothing: Discord does not call us.
func (a *Adapter) Routes(*http.ServeMux) {}

// Run follows every inbox's bot, and asks for its token, until ctx ends.
func (a *Adapter) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hosted.Each(ctx, a.deps.Inboxes, Name, a.follow) })
	g.Go(func() error { return hosted.Credentials(ctx, a.deps, Name, a.try) })
	return g.Wait()
}

// try asks whether Discord takes the token: a connection that is open does not always say so.
func (a *Adapter) try(ctx context.Context, in inbox.Inbox) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return hosted.ErrNotAsked // follow says what is wrong
	}
	return a.get(ctx, in.ID, c, "/users/@me", nil)
}

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}
