// Package rpc is the conversation target's face over HTTP: InboxService and
// TranscriptService (Connect, gRPC and plain JSON on the same paths), and the
// files of messages. Who calls is in the request's context (actor.From); it is
// the edges' business to put it there.
package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/pkg/weftline/identity/v1/identityv1connect"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/bodysize"
)

// Commands is what can be ordered; *command.Service is meant.
type Commands interface {
	Tenures
	SendReply(ctx context.Context, in command.SendReply) (command.Result, error)
	StartConversation(ctx context.Context, in command.StartConversation) (command.Result, error)
	RetryReply(ctx context.Context, o command.Order, reply string) (command.Result, error)
	AddNote(ctx context.Context, o command.Order, text string) (command.Result, error)
	Assign(ctx context.Context, o command.Order, assignee string) (command.Result, error)
	SetStatus(ctx context.Context, o command.Order, status customer.Status, until time.Time) (command.Result, error)
	SetPriority(ctx context.Context, o command.Order, priority string) (command.Result, error)
	AddTag(ctx context.Context, o command.Order, tag string) (command.Result, error)
	RemoveTag(ctx context.Context, o command.Order, tag string) (command.Result, error)
	SetAttribute(ctx context.Context, o command.Order, name, value string) (command.Result, error)
	SetConsent(ctx context.Context, o command.Order, handle, inbox string, wish channel.ConsentWish, reason string) (command.Result, error)
	RecordEvent(ctx context.Context, in command.RecordEvent) (command.Result, error)
}

// Originals opens what arrived, by the reference its message keeps.
type Originals interface {
	Open(ctx context.Context, ref string) (channel.Raw, error)
}

// Deps are what a Server works with.
type Deps struct {
	Commands  Commands
	Ties      Ties
	Proofs    Proofs
	Forward   Forward
	Workspace string       // as customers know it
	Limits    query.Limits // of the rules, for previews; nil: none are told
	Reader    *query.Reader
	Events    eventstore.Store
	Originals Originals
	Blobs     blob.Store
	// Parts finds who can open the parts of a channel's originals.
	Parts  func(channel string) (channel.PartOpener, bool)
	Tenant string
	Log    *slog.Logger
	Audit  Audit // nil: nothing is recorded
	Guard  Guard // nil: nobody is watched
	// Erasures and HoldOrders answer that group of IdentityService.
	Erasures   Erasures
	HoldOrders Holds
	Exports    Exports
	// Templates lists the approved texts of an inbox.
	Templates func(ctx context.Context, inbox string) ([]channel.TemplateText, error)
	// Agent says whether an id is that of an agent who may log in. Nil: nobody knows, and any is taken.
	Agent func(ctx context.Context, id string) (bool, error)
	// Settle is how long a mutation waits until reads show it; 0 means 2 s.
	Settle time.Duration
}

// Server answers. Safe for concurrent use.
type Server struct{ Deps }

var (
	_ inboxv1connect.InboxServiceHandler        = (*Server)(nil)
	_ channelv1connect.TranscriptServiceHandler = (*Server)(nil)
	_ channelv1connect.ProofServiceHandler      = (*Server)(nil)
	_ channelv1connect.ForwardServiceHandler    = (*Server)(nil)
)

// New makes a Server.
func New(d Deps) (*Server, error) {
	if d.Commands == nil || d.Ties == nil || d.Proofs == nil || d.Forward == nil || d.Reader == nil || d.Events == nil || d.Originals == nil || d.Blobs == nil ||
		d.Parts == nil || d.Log == nil || d.Erasures == nil || d.HoldOrders == nil || d.Exports == nil || d.Templates == nil {
		return nil, errors.New("rpc: a dependency is missing")
	}
	if d.Settle == 0 {
		d.Settle = 2 * time.Second
	}
	if d.Audit == nil {
		d.Audit = audit.Discard{}
	}
	if d.Guard == nil {
		d.Guard = audit.NewGuard(0, d.Audit, d.Log, nil, nil)
	}
	return &Server{d}, nil
}

// maxRequest bounds a request's message, in bytes.
const maxRequest = 4 << 20

// Routes mounts everything.
func (s *Server) Routes(mux *http.ServeMux) {
	opts := []connect.HandlerOption{
		connect.WithInterceptors(connect.UnaryInterceptorFunc(s.guard)),
		connect.WithReadMaxBytes(maxRequest),
		connect.WithCodec(strictJSON{"json"}),
		connect.WithCodec(strictJSON{"json; charset=utf-8"}),
	}
	mount := func(path string, h http.Handler) { mux.Handle(path, bodysize.Refuse(maxRequest, h)) }
	mount(inboxv1connect.NewInboxServiceHandler(s, opts...))
	mount(identityv1connect.NewIdentityServiceHandler(Identity{Server: s, Tenures: s.Commands}, opts...))
	mount(channelv1connect.NewTranscriptServiceHandler(s, opts...))
	mount(channelv1connect.NewProofServiceHandler(s, opts...))
	mount(channelv1connect.NewForwardServiceHandler(s, opts...))
	mux.HandleFunc("GET /prove/{token}", s.askToProve) // for strangers: the edge counts them
	mux.HandleFunc("POST /prove/{token}", s.prove)
	mux.HandleFunc("GET /attachments/{id}", s.attachment)
	mux.HandleFunc("GET /originals/{id}", s.original)
	mux.HandleFunc("GET /exports/{id}", s.export)
}

// guard lets known callers with the scope "inbox" in, and turns errors into what callers may see.
func (s *Server) guard(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		who, ok := actor.From(ctx)
		if !ok {
			return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("a session or a token is required"))
		}
		if !who.May(scopeInbox) {
			return nil, connect.NewError(connect.CodePermissionDenied, errors.New(`the token lacks the scope "inbox"`))
		}
		res, err := next(ctx, req)
		if err != nil {
			return nil, s.Refuse(ctx, err)
		}
		return res, nil
	}
}

const scopeInbox = "inbox"
