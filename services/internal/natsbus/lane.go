package natsbus

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
)

// parkAfter: a lane that waits longer than this keeps no payloads.
const parkAfter = time.Second

// lane handles the messages of one key in order. It lives while there are any.
type lane struct {
	sub *subscription
	key string

	// guarded by subscription.mu
	queue  []*delivery // without the one that is being handled
	parked bool
}

// insert keeps the queue in stream order, also when a message that was lost
// under way comes after newer ones. With subscription.mu held.
func (l *lane) insert(d *delivery) {
	i := len(l.queue)
	for i > 0 && l.queue[i-1].id.stream == d.id.stream && l.queue[i-1].id.seq > d.id.seq {
		i--
	}
	l.queue = slices.Insert(l.queue, i, d)
}

// next takes the first message, or ends the lane when there is none.
func (l *lane) next() (*delivery, bool) {
	s := l.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(l.queue) == 0 || s.pulling.Err() != nil {
		delete(s.lanes, l.key)
		s.metrics.lanes.Set(float64(len(s.lanes)))
		return nil, false
	}
	d := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return d, true
}

func (l *lane) run() {
	for {
		d, ok := l.next()
		if !ok || !l.finish(d) {
			return
		}
	}
}

// finish attempts a message until it is acknowledged: handled, or in POISON.
// False means the subscription ends and the message stays in the stream.
func (l *lane) finish(d *delivery) bool {
	s := l.sub
	for {
		err, ran := l.attempt(d)
		if !ran {
			return false
		}
		if err == nil {
			s.metrics.handled.WithLabelValues("ok").Inc()
			s.settle(d)
			return true
		}
		v := s.cfg.judge(err, d.counted, time.Since(d.first))
		d.attempts++
		if v.counted {
			d.counted++
		}
		if v.poison {
			return l.poison(d, err)
		}
		s.metrics.handled.WithLabelValues("retry").Inc()
		level := slog.LevelDebug
		if v.counted { // not one that the handler expects to pass by itself
			level = slog.LevelWarn
		}
		s.log.Log(s.handlers, level, "handler failed, the lane waits", "stream", d.id.stream, "seq", d.id.seq,
			"attempt", d.attempts, "wait", v.wait, "err", err)
		if !l.wait(d, v.wait) {
			return false
		}
	}
}

// attempt runs the handler once, in a slot. ran is false when the subscription
// ended before the handler started, or before it answered.
func (l *lane) attempt(d *delivery) (err error, ran bool) {
	s := l.sub
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.pulling.Done():
		return nil, false
	}
	if s.pulling.Err() != nil {
		return nil, false
	}
	if d.first.IsZero() {
		d.first = time.Now()
	}
	found, err := l.load(d)
	if err != nil {
		// The stream does not answer: no fault of the message.
		return Later(time.Second, err), s.pulling.Err() == nil
	}
	if !found {
		return nil, true // deleted meanwhile: nothing left to do
	}

	o := &outcome{}
	ctx, cancel := context.WithCancel(context.WithValue(s.handlers, outcomeKey{}, o))
	defer cancel()
	id := d.header.Get(jetstream.MsgIDHeader)
	if id == "" {
		id = watermill.NewUUID()
	}
	m := message.NewMessageWithContext(ctx, id, d.data)
	m.Metadata = metadata(d)
	select {
	case s.out <- m:
	case <-s.pulling.Done():
		return nil, false
	}
	select {
	case <-m.Acked():
		return nil, true
	case <-m.Nacked():
		if s.handlers.Err() != nil {
			return nil, false // it failed because it was told to end
		}
		if err := o.get(); err != nil {
			return err, true
		}
		return errors.New("handler refused the message without saying why"), true
	case <-s.handlers.Done():
		return nil, false
	}
}

// load reads the payload again when the lane had dropped it. found is false
// when the stream has it no more.
func (l *lane) load(d *delivery) (found bool, err error) {
	s := l.sub
	if d.loaded {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(s.handlers, 10*time.Second)
	defer cancel()
	err = s.bus.load(ctx, d)
	if errors.Is(err, ErrNoMessage) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countLoaded(d)
	return true, nil
}

// wait is the pause before the next attempt. A long one drops the payloads of
// the lane, so that it costs others nothing.
func (l *lane) wait(d *delivery, pause time.Duration) bool {
	s := l.sub
	if pause > parkAfter {
		s.metrics.parked.Inc()
		defer s.metrics.parked.Dec()
		s.mu.Lock()
		l.parked = true
		s.unload(d)
		for _, q := range l.queue {
			s.unload(q)
		}
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			l.parked = false
			s.mu.Unlock()
		}()
	}
	return sleep(s.pulling, pause)
}
