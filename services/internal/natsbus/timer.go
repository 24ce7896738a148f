package natsbus

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// Timer names a timer. Each part is a subject token.
type Timer struct {
	Tenant, Kind, ID string
}

func (t Timer) check() error {
	for _, f := range []struct{ name, value string }{{"tenant", t.Tenant}, {"kind", t.Kind}, {"id", t.ID}} {
		if !subject.ValidToken(f.value) {
			return fmt.Errorf("timer %s %q: want 1 to 64 of a-z A-Z 0-9 _ -", f.name, f.value)
		}
	}
	return nil
}

// Schedule sets a timer: payload arrives on fired.<tenant>.<kind>.<id> at the
// given time or soon after it, at least once, also when no hub runs at that
// time. Setting the same timer again replaces it. The payload (at most 256 KiB)
// is not encrypted: ids only. Durable when it returns.
func (b *Bus) Schedule(ctx context.Context, tenant, kind, id string, at time.Time, payload []byte) error {
	t := Timer{tenant, kind, id}
	if err := t.check(); err != nil {
		return err
	}
	if len(payload) > 256<<10 {
		return fmt.Errorf("timer payload has %d bytes, limit is %d", len(payload), 256<<10)
	}
	m := nats.NewMsg(subject.Timer(tenant, kind, id))
	m.Data = payload
	// The library's option cuts to seconds, so timers would go off early.
	m.Header.Set("Nats-Schedule", "@at "+at.UTC().Format(time.RFC3339Nano))
	m.Header.Set("Nats-Schedule-Target", subject.Fired(tenant, kind, id))
	if _, err := b.JS.PublishMsg(ctx, m); err != nil {
		return fmt.Errorf("schedule timer: %w", err)
	}
	return nil
}

// Cancel removes a timer. One that does not exist, or went off already, is no
// error; it may still arrive when it goes off at the same moment.
func (b *Bus) Cancel(ctx context.Context, tenant, kind, id string) error {
	t := Timer{tenant, kind, id}
	if err := t.check(); err != nil {
		return err
	}
	s, err := b.JS.Stream(ctx, subject.StreamTimers)
	if err != nil {
		return fmt.Errorf("cancel timer: %w", err)
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(subject.Timer(tenant, kind, id))); err != nil {
		return fmt.Errorf("cancel timer: %w", err)
	}
	return nil
}

// FiredTopic is what a Subscriber of the stream TIMERS subscribes to for the
// timers of one kind. Only one durable may read a kind.
func FiredTopic(kind string) string { return "fired.*." + kind + ".>" }

// ParseFired says which timer went off.
func ParseFired(subj string) (Timer, error) {
	f := strings.Split(subj, ".")
	if len(f) != 4 || f[0] != "fired" {
		return Timer{}, fmt.Errorf("subject %q is not that of a fired timer", subj)
	}
	return Timer{f[1], f[2], f[3]}, nil
}
