package typing

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/metric"
)

const (
	callTimeout = 5 * time.Second
	atOnce      = 8
)

// Deps are what the host of a channel's adapter follows with.
type Deps struct {
	NC     *nats.Conn
	Keys   crypt.Keyring
	Tenant string
	Typist channel.Typist
	// Lasts is how long the provider shows one call, 0: 5 s; it is said again a second before.
	Lasts time.Duration
	// Works says that an inbox of the channel is there and not paused.
	Works   func(inboxID string) bool
	Metrics prometheus.Registerer // nil: not exported
	Now     func() time.Time      // nil: time.Now
}

// Follow calls the channel's Typist for what it hears, until ctx ends and all
// calls have. A customer is shown it at most once in Lasts less a second. Errors
// are counted in weftline_typing_total and otherwise forgotten.
func Follow(ctx context.Context, d Deps, channelName string) error {
	if d.Now == nil {
		d.Now = time.Now
	}
	results := metric.Register(d.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weftline_typing_total", Help: "Calls that show customers that an agent types, by result: shown, ended, failed, dropped.",
	}, []string{"channel", "result"}))
	heard, ended := make(chan *nats.Msg, 256), make(chan call, atOnce)
	sub, err := d.NC.ChanSubscribe(subjectOf(d.Tenant, channelName, "*"), heard)
	if err != nil {
		return fmt.Errorf("follow typing: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	b := newBoard(max(cmp.Or(d.Lasts, 5*time.Second)-time.Second, time.Second))
	var calls sync.WaitGroup
	defer calls.Wait()
	running := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-heard:
			id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
			s, err := open(ctx, d.Keys, id, m.Data)
			if err != nil || !d.Works(id) {
				results.WithLabelValues(channelName, "dropped").Inc()
				continue
			}
			b.heard(place{id, s.To}, s.On, d.Now())
		case c := <-ended:
			running--
			b.done(c)
		case <-timer.C:
		}
		for _, c := range b.due(d.Now()) {
			if running == atOnce { // a provider that is slow to answer is not asked more
				results.WithLabelValues(channelName, "dropped").Inc()
				b.done(c)
				continue
			}
			running++
			calls.Go(func() {
				results.WithLabelValues(channelName, d.call(ctx, c)).Inc()
				ended <- c
			})
		}
		timer.Reset(b.pause(d.Now()))
	}
}

func (d Deps) call(ctx context.Context, c call) string {
	ctx, cancel := context.WithTimeout(hosted.Aside(ctx), callTimeout)
	defer cancel()
	err := d.Typist.Typing(ctx, c.inbox, c.to, c.on)
	switch {
	case err != nil:
		return "failed"
	case c.on:
		return "shown"
	}
	return "ended"
}
