package natsbus

import (
	"context"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ackWait is long because lanes hold messages for as long as they need, and
	// a new process rewinds instead of waiting for it.
	ackWait = 5 * time.Minute
	// A message held for this long tells the server that it is still held.
	heartbeat = ackWait / 3
	// One pull asks for at most this much. More than one message of the largest
	// size must fit.
	pullMessages = 512
	pullBytes    = 8 << 20
	pullWait     = 30 * time.Second
)

// place is where a message is stored.
type place struct {
	stream string
	seq    uint64
}

// delivery is a message between its arrival and its acknowledgement.
type delivery struct {
	id      place
	subject string
	stored  time.Time
	header  nats.Header
	data    []byte
	size    int
	loaded  bool // header and data are in memory and count

	attempts int       // failed attempts
	counted  int       // those that count towards MaxAttempts
	first    time.Time // when the first attempt began

	reply   string    // guarded by subscription.mu
	touched time.Time // guarded by subscription.mu
}

// subscription pulls from the streams into lanes.
//
//	pull (one goroutine per stream) ──► lanes (one per key with messages) ──► out
//
// run owns all of them, and closes out after the last sender has gone.
type subscription struct {
	*Subscriber
	sources []jetstream.Consumer
	out     chan *message.Message
	slots   chan struct{}

	handlers    context.Context // of the messages; ends after Drain
	endHandlers context.CancelFunc
	pulling     context.Context // ends when the subscription is to stop
	stop        context.CancelFunc
	wg          sync.WaitGroup // pulls, lanes, the heart
	done        chan struct{}  // closed after out

	mu     sync.Mutex
	lanes  map[string]*lane
	held   map[place]*delivery
	loaded int
	bytes  int64
	room   chan struct{} // cap 1: something was unloaded
}

func newSubscription(ctx context.Context, s *Subscriber) *subscription {
	sub := &subscription{
		Subscriber: s,
		out:        make(chan *message.Message),
		slots:      make(chan struct{}, s.cfg.Concurrency),
		done:       make(chan struct{}),
		lanes:      make(map[string]*lane),
		held:       make(map[place]*delivery),
		room:       make(chan struct{}, 1),
	}
	sub.pulling, sub.stop = context.WithCancel(ctx)
	sub.handlers, sub.endHandlers = context.WithCancel(context.WithoutCancel(ctx))
	return sub
}

// abandon frees a subscription that was not started.
func (s *subscription) abandon() {
	s.stop()
	s.endHandlers()
}

func (s *subscription) start() {
	reconnected := s.bus.NC.StatusChanged(nats.CONNECTED)
	for _, c := range s.sources {
		s.wg.Go(func() { s.pull(c) })
	}
	s.wg.Go(func() { s.beat(reconnected) })
	go s.run()
}

// run ends the subscription in order.
func (s *subscription) run() {
	<-s.pulling.Done()
	gone := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(gone)
	}()
	t := time.NewTimer(s.cfg.Drain)
	defer t.Stop()
	select {
	case <-gone:
	case <-t.C:
		s.log.Warn("handlers still ran after the drain time and were told to end")
		s.endHandlers()
		<-gone
	}
	s.endHandlers()
	s.mu.Lock()
	clear(s.held)
	s.mu.Unlock()
	close(s.out)
	close(s.done)
}

// settle acknowledges a message and forgets it.
func (s *subscription) settle(d *delivery) {
	s.mu.Lock()
	reply := d.reply
	delete(s.held, d.id)
	s.unload(d)
	s.metrics.held.Set(float64(len(s.held)))
	s.mu.Unlock()
	if err := s.bus.NC.Publish(reply, []byte("+ACK")); err != nil {
		// It will come again, which is what at-least-once means.
		s.log.Warn("cannot acknowledge", "stream", d.id.stream, "seq", d.id.seq, "err", err)
	}
}

// beat tells the server of what is held for long, and rewinds after a lost
// connection, because what was under way then would come only after AckWait.
func (s *subscription) beat(reconnected chan nats.Status) {
	defer s.bus.NC.RemoveStatusListener(reconnected)
	t := time.NewTicker(heartbeat / 2)
	defer t.Stop()
	for {
		select {
		case <-s.pulling.Done():
			return
		case _, ok := <-reconnected:
			if !ok {
				reconnected = nil
				continue
			}
			for _, c := range s.sources {
				s.rewind(c)
			}
		case now := <-t.C:
			for _, reply := range s.due(now) {
				if err := s.bus.NC.Publish(reply, []byte("+WPI")); err != nil {
					break
				}
			}
		}
	}
}

// due lists the replies of messages held for long since they were last heard of.
func (s *subscription) due(now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var replies []string
	for _, d := range s.held {
		if now.Sub(d.touched) >= heartbeat/2 {
			d.touched = now
			replies = append(replies, d.reply)
		}
	}
	return replies
}

// rewind has everything delivered again that was not acknowledged; what is held
// here is recognised when it comes.
func (s *subscription) rewind(c jetstream.Consumer) {
	stream := c.CachedInfo().Stream
	if _, err := s.bus.JS.ResetConsumer(s.pulling, stream, s.cfg.Durable); err != nil && s.pulling.Err() == nil {
		s.log.Warn("cannot rewind the consumer", "stream", stream, "err", err)
	}
}

// sleep waits, and says whether it waited to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
