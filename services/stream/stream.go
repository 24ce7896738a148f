// Package stream is the integrators' edge: the public events, over server-sent
// events and over NATS.
//
//	live feed ─► translate ─┬─► GET /v1/events   one reader each, resumed by cursor
//	                        └─► PUB              one checkpointed publisher, read with API tokens
//
// Whatever has no public message (notes above all) ends in translate.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/peer"
)

//go:generate go run ./internal/catalogue/page ../../proto/weftline/event/v1/event.proto ../../docs/events.md

// Scope is what a token needs to read events.
const Scope = "events"

// Config of the edge. Zero durations and limits take the defaults.
type Config struct {
	Tenant string // default "default"
	// NATS publishes to the stream PUB. One process at a time should: two
	// publish everything twice, with the same ids.
	NATS bool

	Heartbeat    time.Duration // between signs of life, default 15 s
	WriteTimeout time.Duration // a reader that takes longer for one write is cut off, default 20 s
	Recheck      time.Duration // how soon a revoked token ends its streams, default 5 s
	MaxReaders   int           // at once, default 1,000
	MaxPerToken  int           // of one token, default 20
}

// Deps are what the edge works with.
type Deps struct {
	Feed peer.Feed
	// Authenticate finds whose Bearer token a request carries; false: nobody's.
	// Tokens presented to NATS are asked for the same way.
	Authenticate func(*http.Request) (actor.Actor, bool)
	Bus          *natsbus.Bus   // with Config.NATS only
	State        docstore.Store // the publisher's checkpoint; with Config.NATS only
	// Embedded lets integrators in with API tokens, where it listens; nil: the
	// operator of the cluster lets them in.
	Embedded *natsbus.Embedded

	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Service is the edge. Create it with New.
type Service struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	readers readers
}

// New checks its dependencies and declares the publisher's collection.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	if cfg.Tenant == "" {
		cfg.Tenant = subject.DefaultTenant
	}
	if !subject.ValidToken(cfg.Tenant) {
		return nil, fmt.Errorf("stream: tenant %q: want 1 to 64 of a-z A-Z 0-9 _ -", cfg.Tenant)
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.Heartbeat, 15 * time.Second}, {&cfg.WriteTimeout, 20 * time.Second}, {&cfg.Recheck, 5 * time.Second}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if cfg.MaxReaders <= 0 {
		cfg.MaxReaders = 1000
	}
	if cfg.MaxPerToken <= 0 {
		cfg.MaxPerToken = 20
	}
	if deps.Feed == nil || deps.Authenticate == nil {
		return nil, errors.New("stream: feed and authenticate are required")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg, deps: deps, metrics: newMetrics(deps.Metrics)}
	s.readers = readers{draining: make(chan struct{}), by: map[string]int{}, max: cfg.MaxReaders, maxPer: cfg.MaxPerToken}
	if cfg.NATS {
		if deps.Bus == nil || deps.State == nil {
			return nil, errors.New("stream: publishing to NATS needs a bus and a state store")
		}
		if err := deps.State.Declare(ctx, docstore.Collection{Name: checkpoints}); err != nil {
			return nil, fmt.Errorf("declare stream collections: %w", err)
		}
	}
	return s, nil
}

// Routes mounts GET /v1/events.
func (s *Service) Routes(mux *http.ServeMux) { mux.HandleFunc("GET /v1/events", s.events) }

// Run publishes (with Config.NATS) until ctx ends. Then it tells all readers to
// come back later, spread over some seconds, and returns when they are gone.
func (s *Service) Run(ctx context.Context) error {
	var nats sync.WaitGroup
	if s.cfg.NATS {
		nats.Go(func() { s.publish(ctx) })
		if s.deps.Embedded != nil {
			nats.Go(func() { s.deps.Embedded.Admit(ctx, s.deps.Bus, s.login, s.cfg.Recheck) })
		}
	}
	<-ctx.Done()
	s.readers.drain()
	nats.Wait()
	return nil
}
