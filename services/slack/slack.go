// Package slack is the channel for a Slack app: direct messages to it, and what
// is said in the channels that it is in.
//
//	Slack ──POST /hooks/slack/<inbox>──► Door ──► Intake, then 200
//	Send ──chat.postMessage, files.completeUploadExternal──► Slack
//
// It speaks the Events API and the Web API (docs.slack.dev). What is particular
// about them is in docs/quirks/slack.md.
package slack

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Name is the channel's name, and the kind of its handles: Slack's ids of users,
// in the scope of their workspace. A user of another company in a shared
// channel is in the scope of that company's workspace.
const Name = "slack"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	steps  *hosted.Steps
	names  *hosted.Names
	heard  *threads
	log    *slog.Logger
	now    func() time.Time
	look   time.Duration // between two looks at the token

	mu  sync.Mutex
	ill map[string]string // by inbox: what Slack has told that a person must mend
}

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Looker
	channel.Verifier
} = (*Adapter)(nil)

// New makes the adapter; requests are taken from the first moment.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), steps: hosted.NewSteps(d, Name), names: hosted.NewNames(d), heard: newThreads(d), log: d.Log, now: d.Now,
		look: 10 * time.Minute, ill: map[string]string{},
	}
	// Slack counts each method of a workspace by itself: names that are asked for must not hold back answers.
	a.caller.Lane = func(r *http.Request) string { return path.Base(r.URL.Path) }
	a.door = (&hosted.Door{Channel: Name, Limit: maxRequest, Admit: a.admit, Split: a.split, Answer: answer}).Open(d)
	return a
}

// Channel is "slack".
func (a *Adapter) Channel() string { return Name }

// Capabilities are the Web API's. It tells neither of delivery nor of reading, and drops no repeated sends.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, Parts: maxParts,
		Attachments: true, AttachmentsPerMessage: maxFiles,
		Reactions: true, Edits: true, Deletes: true, Threads: true,
	}
}

// Routes mounts the door.
func (a *Adapter) Routes(mux *http.ServeMux) { a.door.Routes(mux) }

// Run looks after every inbox and its token until ctx ends.
func (a *Adapter) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hosted.Each(ctx, a.deps.Inboxes, Name, a.lookAfter) })
	g.Go(func() error { return hosted.Credentials(ctx, a.deps, Name, a.try) })
	return g.Wait()
}

// try asks whether the provider takes the token.
func (a *Adapter) try(ctx context.Context, in inbox.Inbox) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return hosted.ErrNotAsked // lookAfter says what is wrong
	}
	return a.call(ctx, in.ID, c, "auth.test", struct{}{}, nil)
}
