package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Config of a Log. Zero values are good.
type Config struct {
	Tenant string        // "" means the default tenant
	Flush  time.Duration // how long an entry of Record may wait, default 100 ms
	Queue  int           // entries that may wait before Record does, default 4096
	// AddressDays is for how many days IP addresses are kept; 0 means 90,
	// negative: none are.
	AddressDays int
	Now         func() time.Time // nil: time.Now
}

// Deps are what a Log stands on.
type Deps struct {
	JS      jetstream.JetStream
	State   docstore.Store // durable; keeps the anchor
	Keys    Keys           // seal what must be able to go; required
	Log     *slog.Logger
	Metrics prometheus.Registerer // may be nil
}

// Limits of one message.
const (
	maxBatch = 256
	// anchorEvery is how far, in time, the anchor may be behind the chain.
	anchorEvery = time.Second
	// syncPatience bounds RecordSync.
	syncPatience = 15 * time.Second
	// closePatience bounds the flush of Close.
	closePatience = 5 * time.Second
)

// ErrClosed: the hub is stopping.
var ErrClosed = errors.New("audit log is closed")

// Log writes and reads one tenant's chain. Safe for concurrent use; Close ends it.
type Log struct {
	cfg     Config
	deps    Deps
	seen    *once
	metrics *metrics

	mu      sync.RWMutex // held for reading by who puts into queue
	closed  bool
	queue   chan item
	stop    chan struct{} // closed: no more entries, flush
	closing sync.Once
	abort   context.CancelFunc
	done    chan struct{}
	expired chan struct{} // the daily expiry has ended
}

// item is an entry on its way; written, where there is one, gets the outcome.
type item struct {
	Entry
	written chan<- error
}

// Open finds the end of the chain and starts the writer. What does not fit the
// anchor is logged, and the chain goes on: an audit log that stops helps nobody.
func Open(ctx context.Context, cfg Config, d Deps) (*Log, error) {
	if cfg.Tenant == "" {
		cfg.Tenant = subject.DefaultTenant
	}
	if cfg.Flush <= 0 {
		cfg.Flush = 100 * time.Millisecond
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 4096
	}
	if cfg.AddressDays == 0 {
		cfg.AddressDays = 90
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if d.Keys == nil {
		return nil, errors.New("open audit log: no keys are given")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if err := d.State.Declare(ctx, Collection, Expired); err != nil {
		return nil, fmt.Errorf("declare audit anchor: %w", err)
	}
	l := &Log{
		cfg: cfg, deps: d, seen: newOnce(cfg.Now), metrics: newMetrics(d.Metrics),
		queue: make(chan item, cfg.Queue), stop: make(chan struct{}), done: make(chan struct{}), expired: make(chan struct{}),
	}
	c := &chain{js: d.JS, state: d.State, tenant: cfg.Tenant, log: d.Log}
	if err := c.load(ctx); err != nil {
		return nil, err
	}
	if err := l.expire(ctx); err != nil {
		return nil, err
	}
	ctx, l.abort = context.WithCancel(context.WithoutCancel(ctx))
	go l.write(ctx, c)
	go l.expireDaily(ctx)
	return l, nil
}

// Record takes an entry and returns; it is on disk within 100 ms. While the log
// cannot be written and too many wait, it blocks until ctx ends: what cannot be
// recorded should not be answered. Repeated reads of the same are taken once in
// five minutes.
func (l *Log) Record(ctx context.Context, e Entry) error {
	e = complete(ctx, e, l.cfg.Now())
	if err := e.check(); err != nil {
		return err
	}
	key, again := l.seen.again(e)
	if again {
		return nil
	}
	e, err := l.box(ctx, e)
	if err == nil {
		err = l.put(ctx, item{Entry: e})
	}
	if err != nil {
		l.seen.forget(key)
	}
	return err
}

// RecordSync returns when the entry is on disk. An error within 15 s says that
// it is not yet, or not known to be; it is then still tried.
func (l *Log) RecordSync(ctx context.Context, e Entry) error {
	e = complete(ctx, e, l.cfg.Now())
	if err := e.check(); err != nil {
		return err
	}
	e, err := l.box(ctx, e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, syncPatience, errors.New("the audit log cannot be written"))
	defer cancel()
	written := make(chan error, 1)
	if err := l.put(ctx, item{e, written}); err != nil {
		return err
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return fmt.Errorf("record %s: %w", e.Action, context.Cause(ctx))
	}
}

func (l *Log) put(ctx context.Context, it item) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return ErrClosed
	}
	select {
	case l.queue <- it:
		return nil
	default:
	}
	select {
	case l.queue <- it:
		return nil
	case <-l.stop:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("record %s: %w", it.Action, context.Cause(ctx))
	}
}

// Close flushes what waits, for at most 5 s, and stops the writer.
func (l *Log) Close() {
	l.closing.Do(func() {
		t := time.AfterFunc(closePatience, l.abort)
		defer t.Stop()
		close(l.stop)
		l.mu.Lock()
		l.closed = true
		close(l.queue)
		l.mu.Unlock()
		<-l.done
		l.abort()
		<-l.expired
	})
}
