// Package console is the agents' edge: login, the RPC the web app calls, the
// live websocket, drafts, settings, and the web app itself.
//
//	browser ──cookie──► Authenticator ──actor in ctx──► InboxService (conversation target)
//	        ──ticket──► /ws ──► Feed (durable events, resume by cursor) + Presence (ephemeral)
package console

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/channel"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Feed is the live event log, as the conversation target offers it.
type Feed interface {
	// Subscribe yields events after cursor ("" = from the head) until ctx ends.
	// It fails with peer.ErrReset when it cannot continue there, peer.ErrSlow when the reader lags.
	Subscribe(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error]
	Head(ctx context.Context) (string, error)
}

// Inboxes is the registry and what can be configured in it.
type Inboxes interface {
	inbox.Registry
	Channels() []inbox.Channel
	SetPaused(ctx context.Context, id string, paused bool) error
}

// Config of the console.
type Config struct {
	Tenant    string
	Workspace string
	PublicURL string // origin of the console, without a trailing slash
	Listen    string // address the hub listens on; the first run is allowed at it
	Build     string
	DemoURL   string // page with the widget, "" without a demo
}

// Deps are what the console works with.
type Deps struct {
	State   docstore.Store // agents, sessions, tokens, drafts: not rebuildable
	Keys    crypt.Keyring
	Blobs   blob.Store
	Inboxes Inboxes
	Feed    Feed
	// Backend serves InboxService, IdentityService, /exports/, /attachments/ and /originals/; it finds the actor in the request's context.
	Backend http.Handler
	// ReplyTarget finds where a conversation would be answered (nil when unknown), for typing marks; the actor is in ctx.
	ReplyTarget func(ctx context.Context, conversation string) *inboxv1.ReplyTarget
	// ShowsTyping says whether a channel can show customers that an agent types; nil: none can.
	ShowsTyping func(channelName string) bool
	// Sender sends a test message for an inbox; nil: none is sent.
	Sender func(channelName, inboxID string) (channel.Sender, bool)
	// Waiting counts what waits to go out in an inbox, and the inputs that were put aside. Nil: not known.
	Waiting func(ctx context.Context, channelName, inboxID string) (out, aside int64, err error)
	Audit   Audit      // nil: nothing is recorded
	NC      *nats.Conn // ephemerals between processes; nil keeps them in this one
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time // nil: time.Now
}

// Console serves agents. Create it with New.
type Console struct {
	cfg      Config
	deps     Deps
	agents   *agents
	sessions *sessions
	tokens   *tokens
	tickets  *tickets
	limiter  *loginLimiter
	proofs   *loginLimiter // requests for the pages of single-use links
	trials   *loginLimiter // live tests and test messages
	gate     *gate
	presence *presence
	sockets  *sockets
	recheck  time.Duration
	metrics  *metrics
	static   *static
	pictures *http.Client
}

// New prepares collections and, when no agent exists and owner is given, makes the owner.
func New(ctx context.Context, cfg Config, deps Deps) (*Console, error) {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Metrics == nil {
		deps.Metrics = prometheus.NewRegistry()
	}
	if deps.Audit == nil {
		deps.Audit = audit.Discard{}
	}
	if err := deps.State.Declare(ctx, collections...); err != nil {
		return nil, fmt.Errorf("declare console collections: %w", err)
	}
	c := &Console{cfg: cfg, deps: deps, pictures: safedial.Client(safedial.Config{})}
	c.agents = &agents{docs: deps.State, now: deps.Now}
	c.sessions = &sessions{docs: deps.State, now: deps.Now}
	c.tokens = &tokens{docs: deps.State, now: deps.Now}
	c.tickets = newTickets(deps.Now)
	c.limiter, c.proofs, c.trials = newLoginLimiter(deps.Now), newLoginLimiter(deps.Now), newLoginLimiter(deps.Now)
	c.gate = newGate()
	c.metrics = newMetrics(deps.Metrics)
	c.presence = newPresence(cfg.Tenant, deps.NC, deps.Keys)
	c.sockets, c.recheck = newSockets(), recheckEvery
	var err error
	if c.static, err = newStatic(); err != nil {
		return nil, err
	}
	return c, nil
}

// collections of the state store.
var collections = []docstore.Collection{
	{Name: "agents", Indexes: []docstore.Index{{Name: "email", Prefix: []string{"email"}, Unique: true}}},
	{Name: "sessions", Indexes: []docstore.Index{{Name: "agent", Prefix: []string{"agent"}, Sort: "expires"}, {Name: "expires", Sort: "expires"}}},
	{Name: "api_tokens"},
	{Name: "drafts"},
}

// Run keeps presence and sockets going until ctx ends, then drains the sockets.
func (c *Console) Run(ctx context.Context) error {
	err := c.presence.run(ctx)
	c.sockets.drain()
	return err
}

// Routes mounts everything the console answers.
func (c *Console) Routes(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	page := func(h http.HandlerFunc) http.Handler { return guard.Handler(noStore(soon(h))) }

	mux.Handle("GET /setup", page(c.refuseStrange(c.setupPage)))
	mux.Handle("POST /setup", page(c.refuseStrange(c.setup)))
	mux.Handle("GET /login", page(c.loginPage))
	mux.Handle("POST /login", page(c.login))
	mux.Handle("POST /logout", page(c.logout))

	mux.Handle("POST /api/ticket", page(c.ticket))
	mux.Handle("POST /api/attachments", c.authenticated("inbox", guard, http.HandlerFunc(c.upload)))
	mux.Handle("GET /api/remote-image", c.authenticated("inbox", guard, http.HandlerFunc(c.remoteImage)))
	mux.Handle("GET /ws", http.HandlerFunc(c.socket))

	for _, s := range []struct {
		in protoreflect.FileDescriptor
		h  http.Handler
	}{
		{consolev1.File_weftline_console_v1_console_proto, c.rpcHandler()},
		{inboxv1.File_weftline_inbox_v1_inbox_proto, c.deps.Backend},
		{identityv1.File_weftline_identity_v1_identity_proto, c.deps.Backend},
	} {
		service := s.in.Services().Get(0) // each has one
		mux.Handle("/"+string(service.FullName())+"/", c.authenticated("inbox", guard, c.called(service, s.h)))
	}
	for _, p := range []string{"GET /exports/", "GET /attachments/", "GET /originals/"} {
		mux.Handle(p, c.authenticated("inbox", guard, c.deps.Backend))
	}
	mux.Handle("/prove/", page(c.prove))
	mux.Handle("/", c.app())
}

// formTime is how long the small forms of strangers may take.
const formTime = 15 * time.Second

// soon ends forms that come slowly, whatever length they say.
func soon(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(formTime)) // ended by hub's outside when the body is there
		}
		h(w, r)
	}
}

// noStore keeps authenticated answers out of every cache.
func noStore(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// secure sets the headers every answer of the console carries.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
}
