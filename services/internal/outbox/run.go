package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/components/cqrs"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// Reporter is the part of channel.Intake that is needed.
type Reporter interface {
	Report(ctx context.Context, receipts ...channel.Receipt) error
}

// Deps is what an outbox works with.
type Deps struct {
	Bus    *natsbus.Bus
	Keys   crypt.Keyring
	Intake Reporter
	// State must be durable when Apply returns (SQLite with full sync): it says
	// after a crash whether a send was under way.
	State docstore.Store
	// Senders finds the sender of an inbox; false: there is none now, wait.
	Senders func(inbox string) (channel.Sender, bool)
	// Paused says that somebody paused an inbox: it keeps its messages, and people
	// are told at once. Nil: none is.
	Paused func(inbox string) bool
	// Gone says that there is no such inbox of the channel (any more). It keeps its
	// messages too, since a configuration file can bring it back. Nil: none is.
	Gone func(inbox string) bool
	// Idempotent: sending the same Outbound.ID twice delivers once.
	Idempotent bool

	Concurrency int           // sends at the same time, default 32
	Drain       time.Duration // default 20 s: how long a send may go on when the hub stops
	Policy      Policy
	Log         *slog.Logger
	Metrics     prometheus.Registerer
	Now         func() time.Time // default time.Now
}

// Run sends the outbound messages of a channel until ctx ends. One process at a
// time may run a channel's outbox.
func Run(ctx context.Context, deps Deps, channelName string) error {
	err := run(ctx, deps, channelName)
	if ctx.Err() != nil {
		return nil // it was to end, perhaps while it started
	}
	return err
}

func run(ctx context.Context, deps Deps, channelName string) error {
	if !subject.ValidToken(channelName) {
		return fmt.Errorf("outbox: channel %q is not a subject token", channelName)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Concurrency <= 0 {
		deps.Concurrency = 32
	}
	o := &outbox{Deps: deps, log: deps.Log.With("channel", channelName), metrics: newMetrics(deps.Metrics, channelName)}
	o.Policy = deps.Policy.withDefaults()
	if deps.Idempotent {
		o.records = newRecords(nil)
	} else {
		if err := deps.State.Declare(ctx, Collection); err != nil {
			return fmt.Errorf("outbox: declare send attempts: %w", err)
		}
		o.records = newRecords(deps.State)
		var err error
		if o.fence, err = loadFence(ctx, deps.State); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	// Waiting is decided here, so the lane never gives up by itself.
	sub, err := natsbus.NewSubscriber(deps.Bus, natsbus.SubscriberConfig{
		Durable: "outbox-" + channelName, Streams: []string{subject.StreamOut},
		Concurrency: deps.Concurrency, MaxAttempts: -1, MinBackoff: time.Second, Drain: deps.Drain,
	}, o.log, deps.Metrics)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	r, err := natsbus.NewRouter(o.log, deps.Metrics)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := process(r, sub, o.Keys, channelName, o.handle); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Run(ctx) })
	g.Go(func() error { return o.pruneHourly(ctx) })
	return g.Wait()
}

type outbox struct {
	Deps
	log     *slog.Logger
	metrics *metrics
	records *records
	fence   time.Time // see Fence; zero: none
}

// handle does what can be done with a message now. nil means it is settled;
// otherwise the error says when to come back.
func (o *outbox) handle(ctx context.Context, c *send) error {
	if c.erased {
		o.metrics.results.WithLabelValues("erased").Inc()
		return nil // erased while it waited: there is nobody to write to
	}
	out := c.out
	published, err := time.Parse(time.RFC3339Nano, cqrs.OriginalMessageFromCtx(ctx).Metadata.Get(natsbus.MetaStored))
	if err != nil {
		return natsbus.Permanent(fmt.Errorf("time of outbound message: %w", err))
	}
	rec, err := o.records.get(ctx, out.ID)
	if err != nil {
		return err
	}
	rec, stale := rec.enter(out.Attempt)
	if stale {
		return nil
	}
	if o.behind(out.At, rec) {
		err = o.conclude(ctx, out, rec.lost(detailRestored, o.Now()), true)
		if err == nil {
			o.records.forget(out.ID)
		}
		return err
	}
	err = o.advance(ctx, out, rec, published)
	if err == nil {
		o.records.forget(out.ID)
	}
	return err
}

// advance takes the record's next step. See the package comment.
func (o *outbox) advance(ctx context.Context, out channel.Outbound, rec record, published time.Time) error {
	if rec.owed && !rec.State.final() {
		if err := o.report(ctx, out, rec); err != nil {
			return err
		}
		rec.owed = false
		o.records.remember(out.ID, rec, false)
	}
	switch rec.State {
	case stateSent, stateFailed, stateLost:
		return o.report(ctx, out, rec)
	case stateOpen:
		return o.doubt(ctx, out, o.Policy.doubted(rec, "the hub stopped while it was sending", "", o.Now()))
	case stateRetry, stateUnknown:
		if wait := rec.Due.Sub(o.Now()); wait > 0 {
			return later(wait)
		}
	}
	if o.Paused != nil && o.Paused(out.Inbox) {
		return o.paused(ctx, out, rec, true)
	}
	rec, done, err := o.look(ctx, out, rec)
	if done {
		return err
	}
	return o.send(ctx, out, rec, published)
}

// doubt concludes a send of which nobody knows whether it went out. Where the
// provider can say, it is asked soon, and there is no second try without its answer.
func (o *outbox) doubt(ctx context.Context, out channel.Outbound, rec record) error {
	if _, ok := o.looker(out.Inbox); ok {
		rec.State, rec.Due = stateUnknown, o.Now().Add(o.Policy.backoff(0))
		rec.Done = false
	}
	return o.conclude(ctx, out, rec, true)
}

func (o *outbox) send(ctx context.Context, out channel.Outbound, rec record, published time.Time) error {
	sender, ok := o.Senders(out.Inbox)
	if !ok {
		return o.paused(ctx, out, rec, false)
	}
	rec = rec.open(o.Now())
	if err := o.records.begin(ctx, out.ID, rec); err != nil {
		return err
	}
	out.Attempt, out.Unknown = rec.Attempt, rec.Doubt
	start := time.Now()
	sending, span := telemetry.Span(ctx, "send", telemetry.Channel(out.Channel), telemetry.Inbox(out.Inbox))
	receipt, err := sender.Send(sending, out)
	telemetry.End(span, err)
	o.metrics.seconds.Observe(time.Since(start).Seconds())
	now := o.Now()
	// What is known must be written, also while the hub stops.
	end := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err != nil {
		if end.Err() != nil {
			// Cut short: whether it went out is for the next process to doubt.
			return fmt.Errorf("send: %w", end.Err())
		}
		next, report := o.Policy.erred(rec, err, published, now)
		return o.conclude(ctx, out, next, report)
	}
	receipt.Detail = clip(receipt.Detail)
	next := o.Policy.received(rec, receipt, now)
	if next.State == stateUnknown || next.State == stateLost {
		return o.doubt(ctx, out, next)
	}
	return o.conclude(ctx, out, next, true)
}

// conclude records and reports where a send led to, in the order that the
// package comment explains.
func (o *outbox) conclude(ctx context.Context, out channel.Outbound, rec record, report bool) error {
	o.metrics.results.WithLabelValues(string(rec.State)).Inc()
	if rec.State == stateSent || rec.State == stateFailed {
		if err := o.records.note(ctx, out.ID, rec); err != nil {
			return err
		}
		return o.report(ctx, out, rec)
	}
	var err error
	if report {
		err = o.report(ctx, out, rec)
		rec.owed = err != nil
	}
	// Recorded even when the report failed: a retry must not look like a doubt.
	if err := errors.Join(err, o.records.note(ctx, out.ID, rec)); err != nil {
		return err
	}
	if rec.State == stateLost {
		return nil
	}
	return later(rec.Due.Sub(o.Now()))
}

// What people read beside a reply that waits for its inbox.
const (
	detailPaused = "the inbox is paused"
	detailGone   = "the inbox no longer exists"
	detailIdle   = "the inbox cannot send now"
)

// waiting says why an inbox sends nothing.
func (o *outbox) waiting(inbox string, ordered bool) string {
	switch {
	case ordered:
		return detailPaused
	case o.Gone != nil && o.Gone(inbox):
		return detailGone
	}
	return detailIdle
}

// paused waits for the inbox. People hear of it at once when somebody paused it,
// otherwise when it takes longer than a restart does.
func (o *outbox) paused(ctx context.Context, out channel.Outbound, rec record, ordered bool) error {
	n := rec.pauses
	rec.pauses++
	if why := o.waiting(out.Inbox, ordered); (ordered || n >= 5) && (rec.Result != channel.StateRetrying || rec.Detail != why) {
		rec.Result, rec.Detail, rec.At = channel.StateRetrying, why, o.Now().UnixMilli()
		if err := o.report(ctx, out, rec); err != nil {
			return err
		}
	}
	// Nothing was attempted, so nothing needs to survive the process.
	o.records.remember(out.ID, rec, false)
	return later(o.Policy.pause(n))
}

func (o *outbox) report(ctx context.Context, out channel.Outbound, rec record) error {
	err := o.Intake.Report(ctx, channel.Receipt{
		Tenant: out.Tenant, Channel: out.Channel, Inbox: out.Inbox, Outbound: out.ID, Customer: out.Customer,
		State: rec.Result, ProviderID: rec.Provider, Detail: rec.Detail, At: time.UnixMilli(rec.At).UTC(),
		Attempt: rec.Round,
	})
	if err != nil {
		return fmt.Errorf("report on outbound message: %w", err)
	}
	return nil
}

// errLater keeps the provider's words, which may hold addresses, out of logs.
var errLater = errors.New("not yet sent")

func later(d time.Duration) error { return natsbus.Later(d, errLater) }

func (o *outbox) pruneHourly(ctx context.Context) error {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := o.records.prune(ctx, o.Now()); err != nil && ctx.Err() == nil {
			o.log.Warn("cannot remove old send attempts", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
