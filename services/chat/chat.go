// Package chat is the live chat channel: a widget on the shop's pages, a
// websocket between it and the hub, files, and the visitor's own transcript.
//
//	visitor ──ws──► Intake.Accept ──► … agent's reply … ──► Send ──ws──► visitor
//
// The adapter knows visitors and handles, nothing of customers. What a visitor
// sees again after a reload comes from TranscriptService; what happens
// meanwhile comes from Send. Both carry the same ids and positions, so the
// widget drops what it has already. The wire is described in protocol.md.
//
// # Who a visitor is
//
// A browser gets a random visitor id, sealed in a token only this hub can
// make. Its handle is (chat, inbox, visitor id). A visitor whom the host's
// page vouches for with a signed JWT speaks as (chat, inbox, "sub:"+sub)
// instead: the transcript follows the login to every device, and messages
// claim the handle (external, inbox, sub). What was said before the login
// stays with the anonymous handle: shared browsers exist, so agents get a hint
// there and nothing is joined by itself. A second login with another sub in
// the same browser gets a new visitor id, so that the first one's anonymous
// history does not follow.
package chat

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Name is the channel's name in subjects and settings, and the kind of its handles.
const Name = "chat"

// KindExternal is the kind of the handle a host's login proves: scope is the
// inbox, the address is the JWT's sub.
const KindExternal = "external"

// ContentType of stored inputs.
const ContentType = "application/vnd.weftline.chat+json"

// Deps are what the adapter works with. Fields without a note are required.
type Deps struct {
	Intake     channel.Intake
	Transcript channelv1connect.TranscriptServiceClient
	Proofs     channelv1connect.ProofServiceClient   // nil: addresses stay claims
	Forward    channelv1connect.ForwardServiceClient // nil: nothing goes on by mail or SMS
	Inboxes    inbox.Registry
	State      docstore.Store
	Keys       crypt.Keyring
	Blobs      blob.Store
	NC         *nats.Conn            // typing only; nil: no typing
	Log        *slog.Logger          // nil: nothing is logged
	Metrics    prometheus.Registerer // nil: not exported
	PublicURL  string                // as visitors see the hub; empty: the request's host

	// Numbers reads telephone numbers where an SMS inbox with these settings is.
	// Nil: nothing goes on by SMS.
	Numbers func(settings map[string]string) handleid.Normaliser
	// OpenFile reads an attachment by the id the transcript gives. Nil: the id is a key of Blobs.
	OpenFile OpenFile
	// ClientIP finds the visitor's address for rate limits. Nil: the peer of the connection.
	ClientIP func(*http.Request) string
	// Now is the wall clock. Nil: time.Now.
	Now func() time.Time
	// Timing changes the heartbeat and its like, for tests.
	Timing Timing
}

// Adapter is the chat channel. Safe for concurrent use.
type Adapter struct {
	d       Deps
	log     *slog.Logger
	public  *url.URL
	configs configs
	rooms   rooms
	pending pending
	limits  *limits
	locks   striped // of documents
	reports striped // of receipts; may take locks inside
	follows striped // of unread answers
	metrics metrics
	timing  Timing

	ready    chan struct{} // closed when Run has declared its collections
	readied  sync.Once
	draining atomic.Bool
	sessions sync.WaitGroup
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the dependencies. Nothing happens before Run; requests wait for it.
func New(d Deps) (*Adapter, error) {
	switch {
	case d.Intake == nil:
		return nil, errors.New("chat: Intake is missing")
	case d.Transcript == nil:
		return nil, errors.New("chat: Transcript is missing")
	case d.Inboxes == nil:
		return nil, errors.New("chat: Inboxes is missing")
	case d.State == nil:
		return nil, errors.New("chat: State is missing")
	case d.Keys == nil:
		return nil, errors.New("chat: Keys is missing")
	case d.Blobs == nil:
		return nil, errors.New("chat: Blobs is missing")
	}
	a := &Adapter{d: d, log: d.Log, timing: d.Timing.withDefaults(), ready: make(chan struct{})}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if d.PublicURL != "" {
		u, err := url.Parse(d.PublicURL)
		if err != nil || u.Host == "" {
			return nil, errors.New("chat: PublicURL is not an absolute URL")
		}
		a.public = u
	}
	if a.d.Now == nil {
		a.d.Now = time.Now
	}
	if a.d.ClientIP == nil {
		a.d.ClientIP = peerIP
	}
	a.metrics = newMetrics(d.Metrics)
	a.limits = newLimits(a.d.Now)
	a.rooms.now, a.rooms.since = a.d.Now, a.d.Now()
	return a, nil
}

// Channel is "chat".
func (a *Adapter) Channel() string { return Name }

// Capabilities of the widget.
func (a *Adapter) Capabilities() channel.Capabilities { return Capabilities() }

// Capabilities are the channel's, also where its adapter does not run.
func Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxText, Attachments: true, AttachmentLimit: maxUpload,
		Typing: true, ReadReceipts: true, IdempotentSend: true,
	}
}

// Sender sends for one inbox. It is the adapter itself: Outbound names the inbox.
func (a *Adapter) Sender(string) channel.Sender { return a }

func peerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
