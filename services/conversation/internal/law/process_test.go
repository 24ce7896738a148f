package law_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/settle"
)

// fate is what the scheduler lets a suspended store call do.
type fate int

const (
	goOn fate = iota
	crashBefore
	crashAfter
	lostBefore // the answer is lost, nothing was stored
	lostAfter  // the answer is lost, it was stored
)

var errCrash = errors.New("crashed")

// process is one hub: its own caches, its own clock, one task at a time.
type process struct {
	w      *world
	skew   time.Duration
	ingest *ingest.Handler
	orders *command.Service

	customers *aggregate.Repository[customer.State]
	claims    *claim.Claimer
	settle    *settle.Settler
	erasing   bool // what it does now is an erasure

	resume  chan fate
	yielded chan struct{}
	done    chan error
}

// start runs one task as a coroutine; drive it with p.resume.
func (p *process) start(task func(ctx context.Context, p *process) error) {
	p.resume, p.yielded, p.done = make(chan fate), make(chan struct{}), make(chan error, 1)
	go func() { p.done <- task(context.Background(), p) }()
}

// stepStore suspends the process before every load and append.
type stepStore struct {
	eventstore.Store
	p *process
}

func (s stepStore) suspend() fate {
	s.p.w.calls++
	s.p.yielded <- struct{}{}
	return <-s.p.resume
}

func (s stepStore) append(ctx context.Context, a eventstore.Append) []eventstore.Result {
	r := s.Store.Append(ctx, a)
	if r[0].Err == nil && !r[0].Duplicate {
		s.p.w.made = append(s.p.w.made, a.Stream)
	}
	return r
}

func (s stepStore) Append(ctx context.Context, as ...eventstore.Append) []eventstore.Result {
	a := s.p.w.faults.distort(s, as[0])
	if s.p.w.faults.NoHelp && strings.HasPrefix(a.Commit.ID, "release:") && !s.p.erasing {
		return []eventstore.Result{{Err: errCrash}}
	}
	switch f := s.suspend(); f {
	case crashBefore:
		return []eventstore.Result{{Err: errCrash}}
	case lostBefore:
		return []eventstore.Result{{Err: eventstore.ErrUnknown}}
	case crashAfter:
		s.append(ctx, a)
		return []eventstore.Result{{Err: errCrash}}
	case lostAfter:
		s.append(ctx, a)
		return []eventstore.Result{{Err: eventstore.ErrUnknown}}
	}
	if s.p.w.faults.noLock(a.Stream) { // planted: the expected sequence is not compared
		a.Expect = 0
		for c := range s.Store.Load(ctx, a.Tenant, a.Stream, 0) {
			a.Expect = c.Seq
		}
	}
	return s.append(ctx, a)
}

func (s stepStore) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[eventstore.Commit, error] {
	if f := s.suspend(); f == crashBefore || f == crashAfter {
		return func(yield func(eventstore.Commit, error) bool) { yield(eventstore.Commit{}, errCrash) }
	}
	return s.Store.Load(ctx, tenant, stream, after)
}

// newProcess boots a hub with cold caches.
func (w *world) newProcess(skew time.Duration) *process {
	p := &process{w: w, skew: skew}
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return w.clock.Add(skew) }
	cfg := aggregate.Config{
		Now: now, Backoff: func(int) time.Duration { return 0 }, SnapshotEvery: 4, Attempts: 50,
	}
	after := purgedStore{w.store, w}
	store := stepStore{after, p}
	customers := aggregate.New(cfg, w.faults.customers(w.bounds()), store, after, log)
	handles := aggregate.New(cfg, w.faults.handlesKept(), store, after, log)
	claims := claim.New(handles, w.keys, w.newID)
	p.customers, p.claims, p.settle = customers, claims, settle.New(claims, customers, w.view, w.keys)
	var err error
	if p.ingest, err = ingest.New(ingest.Deps{
		Customers: customers, Claims: claims, Keys: w.keys,
		Parsers: func(string) (channel.Parser, bool) { return w.parser, true },
		Refs:    w.view, Replies: w.view, Origins: w.view, Timeline: w.view,
		Discard: func(_ context.Context, ref string) error { w.discarded[ref] = true; return nil },
		Policy:  func(string) customer.Policy { return customer.Policy{Join: time.Hour, Reopen: time.Minute} },
		NewID:   w.newID, Now: now, Log: log,
	}); err != nil {
		w.t.Fatal(err)
	}
	if p.orders, err = command.New(command.Deps{
		Customers: aggregate.New(cfg, w.faults.answering(w.bounds()), store, nil, log),
		Claims:    claim.New(aggregate.New(cfg, w.faults.handles(), store, nil, log), w.keys, w.newID), Keys: w.keys, Lookup: domaintest.Lookup{View: w.view.View}, Timeline: w.view,
		Channel: func(string) (string, bool) { return "email", true }, Now: now, Log: log,
	}); err != nil {
		w.t.Fatal(err)
	}
	return p
}
