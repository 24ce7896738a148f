// Package mastodon is the channel for mentions and direct messages of a
// Mastodon account.
//
//	instance ──GET /api/v1/streaming/user (SSE)──► stream: "there is something", edits, deletions
//	instance ◄──GET /api/v1/notifications?min_id──  catchUp ──► Intake, then the next min_id
//	Send ──POST /api/v1/statuses, Idempotency-Key──► instance
//
// It speaks Mastodon's REST and streaming API (docs.joinmastodon.org). What is
// particular about it is in docs/quirks/mastodon.md.
package mastodon

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/safedial"
)

// Name is the channel's name, and the kind of its handles: user@host, in the
// scope of their inbox. Only an instance of ours says who that is.
const Name = "mastodon"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	caller *hosted.Caller
	files  *hosted.Caller // for files, which may be anywhere: what a stranger's server answers says nothing of the account
	live   *http.Client   // for the stream, which never ends by itself
	steps  *hosted.Steps
	kept   *kept
	log    *slog.Logger
	now    func() time.Time
	look   time.Duration // between two looks at the notifications without a word from the stream
	quiet  time.Duration // without a byte a stream is dead

	mu       sync.Mutex
	accounts map[string]account // by inbox
}

var _ interface {
	channel.Adapter
	channel.Fetcher
} = (*Adapter)(nil)

// New makes the adapter.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	live := d.Client
	if live == nil {
		live = safedial.Client(safedial.Config{Timeout: 30 * time.Second})
	}
	unbounded := *live
	unbounded.Timeout = 0
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), files: hosted.NewCaller(hosted.Deps{Client: d.Client, Now: d.Now}), live: &unbounded, steps: hosted.NewSteps(d, Name), kept: newKept(d), log: d.Log, now: d.Now,
		look: time.Minute, quiet: time.Minute, accounts: map[string]account{},
	}
	a.caller.Delay, a.caller.Limit = a.delay, 16<<20
	return a
}

// Channel is "mastodon".
func (a *Adapter) Channel() string { return Name }

// Capabilities are an instance's as it comes. One that allows longer posts gets
// longer pieces. Favourites arrive as reactions, but that one was taken back is
// told to nobody: Reactions is not promised.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: usualText - reserved, TextUnit: channel.Characters, Parts: maxParts,
		Attachments: true, AttachmentLimit: maxFile, AttachmentsPerMessage: maxFiles, AttachmentTypes: []string{"image/*", "video/*", "audio/*"},
		Edits: true, Deletes: true, Threads: true, IdempotentSend: true,
	}
}

// Routes mounts nothing: instances do not call their users.
func (a *Adapter) Routes(*http.ServeMux) {}

// Run follows every inbox's account until ctx ends.
func (a *Adapter) Run(ctx context.Context) error {
	return hosted.Each(ctx, a.deps.Inboxes, Name, a.follow)
}

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}
