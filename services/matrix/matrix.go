// Package matrix is the channel for direct rooms of a Matrix account.
//
//	homeserver ◄──GET /sync── follow: rooms, gaps, invitations ──► Intake, then the next since token
//	Send ──PUT /rooms/{room}/send/m.room.message/{txn}──► homeserver
//
// It speaks the client-server API (spec.matrix.org, "Client-Server API", v3), without
// end-to-end encryption. What is particular about it is in docs/quirks/matrix.md.
package matrix

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Name is the channel's name, and the kind of its handles: Matrix user ids,
// which are the same everywhere and therefore have no scope.
const Name = "matrix"

// kindRoom is a room of more than two: never a customer's own address, and nothing is sent there.
const kindRoom = "matrix_room"

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	caller *hosted.Caller
	steps  *hosted.Steps
	kept   *kept
	log    *slog.Logger
	now    func() time.Time
	retry  time.Duration // least time between two tries of an invitation

	mu       sync.Mutex
	accounts map[string]*account // by inbox
}

var _ interface {
	channel.Adapter
	channel.Typist
	channel.Fetcher
} = (*Adapter)(nil)

// New makes the adapter.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	a := &Adapter{
		deps: d, caller: hosted.NewCaller(d), steps: hosted.NewSteps(d, Name), kept: newKept(d), log: d.Log, now: d.Now,
		retry: 30 * time.Second, accounts: map[string]*account{},
	}
	a.caller.Delay, a.caller.Limit = delay, maxAnswer
	return a
}

// Channel is "matrix".
func (a *Adapter) Channel() string { return Name }

// Capabilities are those of rooms without encryption. A send carries a
// transaction id, which the homeserver does once.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, TextUnit: channel.Bytes, Parts: maxParts,
		Attachments: true, AttachmentLimit: maxFile, AttachmentsPerMessage: maxFiles,
		Typing: true, TypingLasts: 10 * time.Second, Reactions: true, Edits: true, Deletes: true, ReadReceipts: true, Threads: true, IdempotentSend: true,
	}
}

// Routes mounts nothing: homeservers do not call their users.
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
