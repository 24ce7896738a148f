package natsbus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// pull moves messages from one stream to the lanes, in batches that fit into
// memory. The library's endless iterators keep a buffer of their own and drop
// messages when it is full, which is when lanes are slow.
func (s *subscription) pull(c jetstream.Consumer) {
	failed := 0
	for s.waitForRoom() {
		err := s.pullBatch(c)
		if err == nil || s.pulling.Err() != nil {
			failed = 0
			continue
		}
		s.log.Warn("cannot pull, trying again", "stream", c.CachedInfo().Stream, "err", err)
		if !sleep(s.pulling, backoff(100*time.Millisecond, 5*time.Second, failed)) {
			return
		}
		failed++
	}
}

// pullBatch takes what there is, or waits for something.
func (s *subscription) pullBatch(c jetstream.Consumer) error {
	ctx, cancel := context.WithTimeout(s.pulling, pullWait)
	defer cancel()
	batch, err := c.Fetch(s.batchSize(), jetstream.FetchMaxBytes(pullBytes), jetstream.FetchContext(ctx))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		s.take(m)
	}
	err = batch.Error()
	if errors.Is(err, jetstream.ErrNoHeartbeat) {
		s.rewind(c) // what was sent meanwhile went to nobody
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// batchSize is the room for messages, at most pullMessages. Streams that share
// the room may exceed it by one batch each.
func (s *subscription) batchSize() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(1, min(pullMessages, s.cfg.MaxHeld-s.loaded))
}

// waitForRoom waits until one more message may be in memory.
func (s *subscription) waitForRoom() bool {
	for {
		s.mu.Lock()
		full := s.loaded >= s.cfg.MaxHeld || s.bytes >= s.cfg.MaxHeldBytes
		s.mu.Unlock()
		if !full {
			// Another stream may wait for the same token.
			s.wake()
			return s.pulling.Err() == nil
		}
		select {
		case <-s.room:
		case <-s.pulling.Done():
			return false
		}
	}
}

func (s *subscription) wake() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// take puts a message into its lane.
func (s *subscription) take(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		s.log.Error("message without JetStream metadata", "err", err)
		return
	}
	d := &delivery{
		id:      place{meta.Stream, meta.Sequence.Stream},
		subject: m.Subject(), stored: meta.Timestamp,
		header: m.Headers(), data: m.Data(),
		reply: m.Reply(), touched: time.Now(),
	}
	d.size = len(d.data) + 256
	key := s.cfg.Key(d.subject)

	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.held[d.id]; old != nil {
		// Delivered again while it waits here: the newer reply acknowledges both.
		old.reply, old.touched = d.reply, d.touched
		return
	}
	s.held[d.id] = d
	l := s.lanes[key]
	if l == nil {
		l = &lane{sub: s, key: key}
		s.lanes[key] = l
		s.metrics.lanes.Set(float64(len(s.lanes)))
		s.wg.Go(l.run)
	}
	if !l.parked {
		s.countLoaded(d)
	} else {
		d.header, d.data = nil, nil
	}
	l.insert(d)
	s.metrics.held.Set(float64(len(s.held)))
}

// countLoaded and unload keep the account of what is in memory. With mu held.
func (s *subscription) countLoaded(d *delivery) {
	d.loaded = true
	s.loaded++
	s.bytes += int64(d.size)
}

func (s *subscription) unload(d *delivery) {
	if !d.loaded {
		return
	}
	d.loaded, d.header, d.data = false, nil, nil
	s.loaded--
	s.bytes -= int64(d.size)
	s.wake()
}
