// Package conversation is the heart of the hub: what arrives becomes events of
// customers, events become what agents see, and orders become events again.
//
//	IN ──► take ──► ingest ──┐                       ┌─► live (read models) ─► query ─┐
//	                         ├─► EVT ─► one reader ──┼─► feed ────────────────────────┼─► rpc, consoles
//	agents ──► rpc ─► command┘        per partition  └─► policy ─► OUT, timers        │
//	   ▲                                                                              │
//	   └──────────────────────────────────────────────────────────────────────────────┘
//
// New puts it together, Run keeps it going; follow a message from take in take.go.
package conversation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/projection"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/erasure"
	"github.com/weftline/weftline/services/conversation/internal/export"
	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/policy"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/conversation/internal/rpc"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/conversation/internal/underway"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/mask"
	"github.com/weftline/weftline/services/internal/natsbus"
	"golang.org/x/sync/errgroup"
)

// Config of the target. Zero values are good.
type Config struct {
	Tenant string // "" means the default tenant
	// Concurrency is how many inputs are worked on at once, default 64.
	Concurrency int
	// GiveUp is how long an input that cannot be taken in, for a reason that may
	// pass, is tried before it goes to POISON; default 24 h.
	GiveUp time.Duration
	// FetchFor is how long a file that a provider keeps is tried to be fetched,
	// counted from when the input was received, and FetchTry how long one try may
	// take. Defaults: 10 min, 30 s. Then the message is shown without the file, and says so.
	FetchFor, FetchTry time.Duration
	// BulkRead is how many customers' timelines and files one actor reads in ten
	// minutes before it is an alert; five times as many are refused. 0: no limit.
	BulkRead int
	Now      func() time.Time // nil: time.Now
	// Workspace is what customers know us as, and PublicURL where they reach the
	// hub, without a trailing slash; "": no links can be sent to prove an address.
	Workspace, PublicURL string
	// Rules is a YAML file of who is recognised as whom; "" means the built-in ones.
	Rules string
}

// Deps are what the target stands on.
type Deps struct {
	Events    eventstore.Store
	Snapshots eventstore.Snapshots // may be nil
	Views     docstore.Store       // read models; rebuildable
	State     docstore.Store       // checkpoints of reactions; durable
	Keys      crypt.Keyring
	Blobs     blob.Store
	Bus       *natsbus.Bus
	Originals Originals // *intake.Intake
	Inboxes   Inboxes
	// Parser and Parts find a channel's parser, and who opens the parts of its originals.
	Parser func(channel string) (channel.Parser, bool)
	Parts  func(channel string) (channel.PartOpener, bool)
	// Capabilities say what an inbox of a channel can carry; nil: the hub's own limits alone hold.
	Capabilities func(name, inbox string) (channel.Capabilities, bool)
	// Own says that what is sent to an address comes to one of our own inboxes. Nil: nothing does.
	Own func(a channel.Address) bool
	// Templates lists the approved texts of an inbox of a channel; nil: there are none.
	Templates func(ctx context.Context, channelName, inbox string) ([]channel.TemplateText, error)
	// Agent says whether an id is that of an agent who may log in: nobody else is assigned anything. Nil: any id is taken.
	Agent   func(ctx context.Context, id string) (bool, error)
	Audit   rpc.Audit // *audit.Log; nil records nothing
	Log     *slog.Logger
	Metrics prometheus.Registerer // may be nil
	Erasure Erasure
}

// Originals opens and destroys what arrived.
type Originals interface {
	rpc.Originals
	ingest.Originals
}

// Inboxes finds configured inboxes.
type Inboxes interface {
	Get(id string) (inbox.Inbox, bool)
}

// Service is the target. Create it with New, then call Run once.
type Service struct {
	cfg       Config
	deps      Deps
	log       *slog.Logger
	live      *readmodel.Live
	feed      *feed.Feed
	reader    *query.Reader
	ingest    *ingest.Handler
	commands  *command.Service
	customers *aggregate.Repository[customer.State]
	handles   *aggregate.Repository[handle.State]
	claims    *claim.Claimer
	ties      *identity.Service
	resolver  *resolve.Resolver
	proofs    *proof.Service
	forward   *forward.Service
	policy    *policy.Policy
	rpc       *rpc.Server
	runner    *projection.Runner
	erasure   *erasure.Service
	exports   *export.Service
	settler   *settle.Settler
	underway  *underway.Notes
	discard   func(ctx context.Context, ref string) error
}

// New opens the read models and puts the parts together. It starts nothing.
// Read models of another version, or none beside a log that holds something, are an error that Is ErrRebuild.
func New(ctx context.Context, cfg Config, d Deps) (*Service, error) {
	if d.Events == nil || d.Views == nil || d.State == nil || d.Keys == nil || d.Blobs == nil || d.Bus == nil ||
		d.Originals == nil || d.Inboxes == nil || d.Parser == nil || d.Parts == nil || d.Log == nil {
		return nil, errors.New("conversation: a dependency is missing")
	}
	if cfg.Tenant == "" {
		cfg.Tenant = subject.DefaultTenant
	}
	if cfg.GiveUp <= 0 {
		cfg.GiveUp = 24 * time.Hour
	}
	s := &Service{cfg: cfg, deps: d, log: d.Log.With("part", "conversation")}
	for _, step := range []func(context.Context) error{
		s.openReads, s.openHandles, s.openErasure, s.openPersons, s.openProofs, s.openForward, s.openWrites, s.openRPC, s.openRunner, s.replay,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// openReads: what is shown. What follows the log decodes a commit once.
func (s *Service) openReads(ctx context.Context) (err error) {
	d, decode := s.deps, new(codec.Shared).Decode
	if s.live, err = readmodel.OpenLive(ctx, d.Views, d.Keys, decode, d.Events, s.log); err != nil {
		return err
	}
	s.reader = query.New(s.live, d.Events, codec.Decode, d.Keys, s.cfg.Tenant)
	s.reader.View().Carry(d.Capabilities, s.channelOf)
	s.feed, err = feed.New(ctx, feed.Config{Tenant: s.cfg.Tenant, Rows: s.live, Keys: d.Keys, Place: s.reader.Place, Log: s.log}, d.Events, decode, s.reader.View(), d.Keys)
	return err
}

// openHandles: the streams that are written.
func (s *Service) openHandles(context.Context) error {
	d, cfg := s.deps, aggregate.Config{Now: s.cfg.Now}
	s.customers = aggregate.New(cfg, aggregate.Customer(customer.DefaultBounds), d.Events, d.Snapshots, s.log)
	s.handles = aggregate.New(cfg, aggregate.Handle(), d.Events, d.Snapshots, s.log)
	s.claims = claim.New(s.handles, d.Keys, newID)
	s.claims.Variants = s.variants
	s.settler = settle.New(s.claims, s.customers, lookup{s.reader, s.live}, d.Keys)
	return nil
}

// openWrites: what decides.
func (s *Service) openWrites(ctx context.Context) (err error) {
	d, look := s.deps, lookup{s.reader, s.live}
	customers, claims := s.customers, s.claims
	refuted, err := ingest.NewRefutations(ctx, d.State, d.Events, s.cfg.Now)
	if err != nil {
		return err
	}
	if s.ingest, err = ingest.New(ingest.Deps{
		Customers: customers, Claims: claims, Keys: d.Keys, Parsers: d.Parser,
		Refs: look, Replies: replies{look}, Timeline: look, Refuted: refuted, Proofs: s.proofs, Copies: s.forward, NewID: newID, Now: s.cfg.Now, Log: s.log,
		Forgets:  s.forgets,
		FetchFor: s.cfg.FetchFor, FetchTry: s.cfg.FetchTry,
		Mask: s.masked, Originals: d.Originals, Blobs: d.Blobs, Parts: d.Parts,
		Origins: look, Discard: s.discard, Underway: s.underway,
	}); err != nil {
		return err
	}
	if s.commands, err = command.New(command.Deps{
		Customers: customers, Claims: claims, Keys: d.Keys, Lookup: look, Timeline: look,
		Capabilities: d.Capabilities, OptedOut: s.optedOut, Numbers: s.numbers,
		Channel: s.channelOf, Now: s.cfg.Now, Log: s.log,
	}); err != nil {
		return err
	}
	s.policy, err = policy.New(policy.Deps{
		Customers: customers, Keys: d.Keys, Outbox: sender{d.Bus, d.Keys, s.report}, Timers: d.Bus,
		Waker: s.commands, Settler: s.commands, State: d.State, Log: s.log,
	})
	return err
}

// openRPC: the face of it.
func (s *Service) openRPC(context.Context) (err error) {
	d := s.deps
	recorder := d.Audit
	if recorder == nil {
		recorder = audit.Discard{}
	}
	s.rpc, err = rpc.New(rpc.Deps{
		Commands: s.commands, Ties: s.ties, Proofs: s.proofs, Forward: s.forward, Workspace: s.cfg.Workspace, Limits: s.resolver.Rules().Breaks, Reader: s.reader, Events: d.Events, Originals: d.Originals,
		Blobs: d.Blobs, Parts: d.Parts, Tenant: s.cfg.Tenant, Log: s.log,
		Audit: recorder, Guard: audit.NewGuard(s.cfg.BulkRead, recorder, s.log, d.Metrics, s.cfg.Now),
		Erasures: s.erasure, HoldOrders: s.commands, Exports: s.exports,
		Templates: s.templates, Agent: d.Agent,
	})
	return err
}

// projectEvery bounds the transactions of the read models while much happens.
const projectEvery = 20 * time.Millisecond

// openRunner: one reader per partition, teed to those who follow.
func (s *Service) openRunner(context.Context) (err error) {
	s.runner, err = projection.New(projection.Config{Log: s.log}, s.deps.Events, projection.Paced(s.live, projectEvery), s.feed, s.policy,
		projection.Paced(s.resolver, projectEvery), s.erasure.Watch())
	if err != nil {
		return err
	}
	return registerLags(s.deps.Metrics, s.Lags)
}

// Run takes inputs in and keeps read models, feed and reactions up to date
// until ctx ends; then it returns nil when all of them have stopped.
func (s *Service) Run(ctx context.Context) error {
	partitions, err := s.deps.Bus.InPartitions(ctx)
	if err != nil && ctx.Err() != nil {
		return nil // it was ended before it had begun
	}
	if err != nil {
		return fmt.Errorf("conversation: %w", err)
	}
	router, err := s.router(partitions)
	if err != nil {
		return err
	}
	// Inputs wait for projections now and then, so these stop last.
	after, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var follow errgroup.Group
	follow.Go(func() error { return s.erasure.Run(after) })
	follow.Go(func() error { return s.exports.Run(after) })
	follow.Go(func() error { return s.runner.Run(after) })
	follow.Go(func() error { return s.policy.Run(after) })
	follow.Go(func() error { return s.resolver.Run(after) })
	follow.Go(func() error { return s.proofs.Run(after) })
	follow.Go(func() error { return s.live.Watch(after, 2*time.Second) })
	err = router.Run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // it was ended before it had begun
	}
	stop()
	if err = errors.Join(err, follow.Wait()); err != nil {
		return fmt.Errorf("conversation: %w", err)
	}
	return nil
}

// router consumes IN and the fired timers.
func (s *Service) router(partitions int) (*message.Router, error) {
	d := s.deps
	inputs, err := natsbus.NewSubscriber(d.Bus, natsbus.SubscriberConfig{
		Durable: "conversation", Streams: natsbus.InStreams(partitions),
		Concurrency: s.cfg.Concurrency, MaxElapsed: s.cfg.GiveUp,
	}, s.log, d.Metrics)
	if err != nil {
		return nil, err
	}
	timers, err := natsbus.NewSubscriber(d.Bus, natsbus.SubscriberConfig{
		Durable: "conversation-wake", Streams: []string{subject.StreamTimers}, MaxElapsed: s.cfg.GiveUp,
	}, s.log, d.Metrics)
	if err != nil {
		return nil, err
	}
	router, err := natsbus.NewRouter(s.log, d.Metrics)
	if err != nil {
		return nil, err
	}
	router.AddConsumerHandler("conversation", "in.>", inputs, s.take)
	router.AddConsumerHandler("conversation-wake", natsbus.FiredTopic(policy.KindWake), timers, s.fired)
	return router, nil
}

// Routes mounts the services and files. Who calls must be in the request's
// context (actor.With): put authentication before it.
func (s *Service) Routes(mux *http.ServeMux) { s.rpc.Routes(mux) }

// Feed is the live event log.
func (s *Service) Feed() *feed.Feed { return s.feed }

// Lags tells how far the followers are.
func (s *Service) Lags() []projection.Lag { return s.runner.Lags() }

// CatchUp waits until everything stored now is shown and reacted to.
func (s *Service) CatchUp(ctx context.Context) error { return s.runner.CatchUp(ctx) }

func (s *Service) channelOf(id string) (string, bool) {
	in, ok := s.deps.Inboxes.Get(id)
	return in.Channel, ok
}

// masked says what an inbox asks to mask. A setting that cannot be read masks everything.
func (s *Service) masked(id string) mask.Kinds {
	in, _ := s.deps.Inboxes.Get(id)
	kinds, err := mask.Parse(in.Settings[inbox.KeyMask])
	if err != nil {
		return mask.Cards | mask.Secrets
	}
	return kinds
}

// forgets says that an inbox keeps nothing of what its senders delete.
func (s *Service) forgets(id string) bool {
	in, _ := s.deps.Inboxes.Get(id)
	return in.Settings[inbox.KeyKeepDeleted] == "no"
}

// optedOut finds an opt-out of somebody the customer is one person with.
func (s *Service) optedOut(ctx context.Context, id, inbox string) (customer.Reach, string, bool, error) {
	r, out, err := s.reader.OptedOut(ctx, id, inbox)
	return customer.Reach{Inbox: inbox, Out: out, OutAt: time.UnixMicro(r.At), Message: r.Message, Unasked: r.Unasked}, r.Handle, out, err
}

func newID() string { return strings.ToLower(ulid.Make().String()) }
