package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/subject"
)

// SubscriberConfig describes a durable consumer and its lanes.
type SubscriberConfig struct {
	// Durable names the consumer on each stream. One process at a time may
	// consume it: a second one would break the order, not the delivery.
	Durable string
	Streams []string // one or several; lanes are shared by all
	// Key finds the lane of a subject. Default: LaneKey.
	Key func(subject string) string
	// Concurrency is how many handlers run at the same time, default 64. Lanes
	// that wait for their next attempt do not count.
	Concurrency int

	// A message whose handler keeps failing goes to POISON after MaxAttempts
	// attempts, or with the first one that ends MaxElapsed after the first
	// began. 0: not limited by this one; both 0: MaxAttempts is 10.
	// Unlimited: MaxAttempts -1.
	MaxAttempts int
	MaxElapsed  time.Duration
	MinBackoff  time.Duration // default 100 ms
	MaxBackoff  time.Duration // default 1 min

	// Drain is how long handlers that run may go on after the end, default 20 s.
	// Then their contexts end.
	Drain time.Duration

	// MaxHeld and MaxHeldBytes bound what is in memory and waits for a slot,
	// default 4096 messages and 64 MiB. Lanes that wait longer than a second
	// keep no payloads, only positions: MaxWaiting bounds these, default 250000.
	MaxHeld      int
	MaxHeldBytes int64
	MaxWaiting   int
}

func (c SubscriberConfig) withDefaults() (SubscriberConfig, error) {
	if !subject.ValidToken(c.Durable) {
		return c, fmt.Errorf("subscriber: durable %q: want 1 to 64 of a-z A-Z 0-9 _ -", c.Durable)
	}
	if len(c.Streams) == 0 {
		return c, errors.New("subscriber: streams is empty")
	}
	if c.MaxAttempts == 0 && c.MaxElapsed == 0 {
		c.MaxAttempts = 10
	}
	if c.Key == nil {
		c.Key = LaneKey
	}
	c.Concurrency = orDefault(c.Concurrency, 64)
	c.MinBackoff = orDefault(c.MinBackoff, 100*time.Millisecond)
	c.MaxBackoff = max(orDefault(c.MaxBackoff, time.Minute), c.MinBackoff)
	c.Drain = orDefault(c.Drain, 20*time.Second)
	c.MaxHeld = orDefault(c.MaxHeld, 4096)
	c.MaxHeldBytes = orDefault(c.MaxHeldBytes, 64<<20)
	c.MaxWaiting = orDefault(c.MaxWaiting, 250_000)
	return c, nil
}

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// LaneKey is the part of a subject that orders: of in.<p>.<tenant>.<channel>.<inbox>.<key>
// tenant and key, of out.<tenant>.<channel>.<inbox>.<customer> all of it, of anything else all of it.
func LaneKey(subj string) string {
	if rest, ok := strings.CutPrefix(subj, "in."); ok {
		if f := strings.SplitN(rest, ".", 5); len(f) == 5 {
			return f[1] + "." + f[4]
		}
	}
	return subj
}

// Subscriber is Watermill's message.Subscriber with a lane per key. See the
// package comment for what it promises.
//
// A handler answers with Ack or Nack; one behind NewRouter answers by returning,
// and its error decides how the lane goes on (Permanent, Later).
type Subscriber struct {
	bus     *Bus
	cfg     SubscriberConfig
	log     *slog.Logger
	metrics *laneMetrics

	mu     sync.Mutex
	subs   []*subscription
	closed bool
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber prepares a subscriber. reg may be nil.
func NewSubscriber(bus *Bus, cfg SubscriberConfig, log *slog.Logger, reg prometheus.Registerer) (*Subscriber, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Subscriber{bus: bus, cfg: cfg, log: log.With("consumer", cfg.Durable), metrics: newLaneMetrics(reg, cfg.Durable)}, nil
}

// Subscribe creates the durable consumers where needed, with topic as the
// filter, and delivers until ctx ends or Close is called. What was delivered to
// an earlier process and not acknowledged comes again, first and in order.
//
// The channel is closed once no handler of this subscription runs any more.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("subscribe to %s: subscriber is closed", topic)
	}
	sub := newSubscription(ctx, s)
	for _, stream := range s.cfg.Streams {
		cons, err := s.bus.JS.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
			Durable:       s.cfg.Durable,
			FilterSubject: topic,
			AckPolicy:     jetstream.AckExplicitPolicy,
			DeliverPolicy: jetstream.DeliverAllPolicy,
			AckWait:       ackWait,
			MaxDeliver:    -1,
			MaxAckPending: s.cfg.MaxWaiting + s.cfg.MaxHeld,
		})
		if err != nil {
			sub.abandon()
			return nil, fmt.Errorf("create consumer %s on stream %s: %w", s.cfg.Durable, stream, err)
		}
		// Unacknowledged messages would come back only after AckWait, and newer
		// ones of their keys before them.
		if cons.CachedInfo().NumAckPending > 0 {
			if _, err := s.bus.JS.ResetConsumer(ctx, stream, s.cfg.Durable); err != nil {
				sub.abandon()
				return nil, fmt.Errorf("rewind consumer %s on stream %s: %w", s.cfg.Durable, stream, err)
			}
		}
		sub.sources = append(sub.sources, cons)
	}
	sub.start()
	s.subs = append(s.subs, sub)
	return sub.out, nil
}

// Close ends all subscriptions: no new handler starts, those that run may
// finish within Drain, what has not started stays in the stream. It waits.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	subs := s.subs
	s.mu.Unlock()
	for _, sub := range subs {
		sub.stop()
	}
	for _, sub := range subs {
		<-sub.done
	}
	return nil
}
