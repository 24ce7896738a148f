package natsbus

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// poison moves a message to POISON with its reason and acknowledges it only
// after that is on disk. It tries until it succeeds or the subscription ends.
func (l *lane) poison(d *delivery, reason error) bool {
	s := l.sub
	for n := 0; ; n++ {
		err := l.publishPoison(d, reason)
		if err == nil {
			s.metrics.handled.WithLabelValues("poison").Inc()
			s.log.Error("message set aside for good; see hub poison", "stream", d.id.stream, "seq", d.id.seq,
				"attempts", d.attempts, "err", reason)
			s.settle(d)
			return true
		}
		s.log.Warn("cannot set a message aside", "stream", d.id.stream, "seq", d.id.seq, "err", err)
		if !l.wait(d, backoff(100*time.Millisecond, 30*time.Second, n)) {
			return false
		}
	}
}

func (l *lane) publishPoison(d *delivery, reason error) error {
	s := l.sub
	found, err := l.load(d)
	if err != nil || !found {
		return err
	}
	m := nats.NewMsg(subject.Poison(d.subject))
	m.Data = d.data
	m.Header = OwnHeader(d.header)
	m.Header.Set(PoisonReason, oneLine(reason.Error(), 1000))
	m.Header.Set(PoisonAttempts, strconv.Itoa(d.attempts))
	m.Header.Set(PoisonConsumer, s.cfg.Durable)
	m.Header.Set(PoisonStream, d.id.stream)
	m.Header.Set(PoisonSeq, strconv.FormatUint(d.id.seq, 10))
	m.Header.Set(PoisonTime, time.Now().UTC().Format(time.RFC3339Nano))
	if id := d.header.Get(jetstream.MsgIDHeader); id != "" {
		m.Header.Set(PoisonMsgID, id)
	}
	id := fmt.Sprintf("poison/%s/%s/%d", s.cfg.Durable, d.id.stream, d.id.seq)
	if _, err := s.bus.JS.PublishMsg(s.handlers, m, jetstream.WithMsgID(id)); err != nil {
		return fmt.Errorf("publish to poison: %w", err)
	}
	return nil
}

// oneLine makes text fit for a header.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return strings.TrimSpace(s)
}
