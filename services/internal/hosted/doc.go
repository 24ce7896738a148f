// Package hosted is what channels of hosted providers share: a door for what
// the provider posts to us, and calls to its API.
//
//	provider ──POST /hooks/<channel>/<inbox>──► Door: size, Admit (signature over raw bytes), Split ──► Intake.Accept ──► 200
//	Send ──► Caller.Do: gate, deadline, classification ──► provider
//
// What is particular to a provider (which header signs, where the ids are,
// which code means what) stays in its adapter.
package hosted

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Deps are what an adapter of a hosted provider works with. Only Intake and Inboxes are always needed.
type Deps struct {
	Intake  channel.Intake
	Inboxes inbox.Registry
	State   docstore.Store // durable: cursors, tokens
	Keys    crypt.Keyring
	Blobs   blob.Store // attachments to send
	// PublicURL is where providers reach the hub, without a trailing slash: some sign it. "" where it is not known.
	PublicURL string
	// Client reaches providers. Nil: the public internet only (safedial).
	Client *http.Client
	// Dial reaches providers that are not called by HTTP. Nil: the public internet only.
	Dial Dial
	// Typing shows agents that a customer types, where a provider says so; nil: nobody is shown it.
	Typing  func(from channel.Address, on bool)
	Log     *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: not exported
	Now     func() time.Time      // nil: time.Now
	// After is the clock of Credentials; nil: time.After.
	After func(time.Duration) <-chan time.Time
}

// WithDefaults fills in the log and the clock where they are nil.
func (d Deps) WithDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// Dial connects, as net.Dialer's DialContext does.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// HookPath is where the provider of an inbox posts to, on the hub's public address.
func HookPath(channelName, inboxID string) string { return "/hooks/" + channelName + "/" + inboxID }
