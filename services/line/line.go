// Package line is the channel for one-on-one chats with a LINE Official Account.
//
//	LINE ──POST /hooks/line/<inbox>──► Door ──► Intake, then 200
//	Send ──POST /v2/bot/message/push──► LINE
//
// It speaks the Messaging API (developers.line.biz/en/reference/messaging-api).
// What is particular about it is in docs/quirks/line.md.
package line

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

// Name is the channel's name, and the kind of its handles: LINE's ids of
// users, in the scope of their inbox. One person has another id at every provider of LINE's.
const Name = "line"

// kindGroup is a group or a room: never a customer's own address, and nothing is sent there.
const kindGroup = "line_group"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	names  *hosted.Names
	log    *slog.Logger
	now    func() time.Time
	look   time.Duration // between two looks at the webhook

	mu     sync.Mutex
	advice map[string]string // by inbox: what to say while all is well
	groups map[string]string // by inbox: what to say of the groups that the account is in
	spent  map[string]bool   // by inbox: its messages of this month are used up
}

var _ interface {
	channel.Adapter
	channel.Typist
	channel.Fetcher
	channel.Verifier
} = (*Adapter)(nil)

// New makes the adapter; requests are taken from the first moment.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), names: hosted.NewNames(d), log: d.Log, now: d.Now, look: 5 * time.Minute,
		advice: map[string]string{}, groups: map[string]string{}, spent: map[string]bool{},
	}
	a.door = (&hosted.Door{Channel: Name, Limit: maxRequest, Admit: a.admit, Split: a.split}).Open(d)
	return a
}

// Channel is "line".
func (a *Adapter) Channel() string { return Name }

// Capabilities are the Messaging API's. Files can be sent only by a public
// address, which what an agent attaches does not have. LINE tells neither of delivery nor of reading.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, TextUnit: channel.UTF16Units, Parts: maxParts,
		Typing: true, TypingLasts: 5 * time.Second, Deletes: true, IdempotentSend: true,
	}
}

// Routes mounts the door.
func (a *Adapter) Routes(mux *http.ServeMux) { a.door.Routes(mux) }

// Run looks after the webhook and the token of every inbox until ctx ends.
func (a *Adapter) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hosted.Each(ctx, a.deps.Inboxes, Name, a.lookAfter) })
	g.Go(func() error { return hosted.Credentials(ctx, a.deps, Name, a.try) })
	return g.Wait()
}

// try asks whether the provider takes the token: who the account is changes nothing.
func (a *Adapter) try(ctx context.Context, in inbox.Inbox) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return hosted.ErrNotAsked // lookAfter says what is wrong
	}
	return a.get(ctx, in.ID, c, "/v2/bot/info", nil)
}
