package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/cloudevent"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/peer"
)

// checkpoints is the publisher's collection: one document per tenant.
const checkpoints = "stream_checkpoints"

// A checkpoint is written after this many events, or when nothing came for a
// moment. What was published since the last one is published again after a
// crash, with the same ids.
const (
	checkpointEvery = 100
	checkpointIdle  = time.Second
)

type checkpoint struct {
	Cursor string `json:"cursor"`
}

// publish keeps the stream PUB up to date until ctx ends: at least once, in the
// order of the feed, one acknowledged event at a time.
func (s *Service) publish(ctx context.Context) {
	p := &publisher{s: s}
	for wait := time.Duration(0); ctx.Err() == nil; {
		moved, err := p.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.metrics.failures.Inc()
			s.deps.Log.Error("publishing events to NATS failed, trying again", "error", err)
		}
		if wait = min(30*time.Second, max(200*time.Millisecond, 2*wait)); moved {
			wait = 200 * time.Millisecond
		}
		t := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// publisher copies the feed to PUB.
type publisher struct {
	s       *Service
	stored  string // cursor as it was stored last
	cursor  string // everything up to here is in PUB
	pending int    // feed events since stored
}

// run publishes until something fails, and says whether it got any further.
func (p *publisher) run(ctx context.Context) (moved bool, err error) {
	if err := p.load(ctx); err != nil {
		return false, err
	}
	steps, stop := follow(ctx, p.s.deps.Feed, p.cursor)
	defer stop()
	defer func() {
		// What is in PUB is noted even when this process is about to end.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, p.save(ctx))
	}()
	idle := time.NewTicker(checkpointIdle)
	defer idle.Stop()
	for {
		select {
		case st, ok := <-steps:
			switch {
			case !ok:
				return moved, nil
			case errors.Is(st.err, peer.ErrReset):
				// Never silently, and never with a gap: from the beginning, with the ids of before.
				p.s.deps.Log.Error("the checkpoint of the NATS publisher cannot be resumed; publishing from the first event")
				p.cursor, p.pending = "", 1 // not loaded again
				return moved, st.err
			case st.err != nil:
				return moved, st.err
			}
			if err := p.one(ctx, st); err != nil {
				return moved, err
			}
			moved = true
			p.cursor = st.ev.GetCursor()
			if p.pending++; p.pending >= checkpointEvery {
				if err := p.save(ctx); err != nil {
					return moved, err
				}
			}
		case <-idle.C:
			if err := p.save(ctx); err != nil {
				return moved, err
			}
		case <-ctx.Done():
			return moved, nil
		}
	}
}

func (p *publisher) load(ctx context.Context) error {
	if p.cursor != "" || p.pending > 0 {
		return nil // this process knows better
	}
	d, err := p.s.deps.State.Get(ctx, checkpoints, p.s.cfg.Tenant)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load publisher's checkpoint: %w", err)
	}
	var c checkpoint
	if err := json.Unmarshal(d.JSON, &c); err != nil {
		return fmt.Errorf("read publisher's checkpoint: %w", err)
	}
	p.cursor, p.stored = c.Cursor, c.Cursor
	return nil
}

func (p *publisher) save(ctx context.Context) error {
	if p.cursor == p.stored {
		p.pending = 0
		return nil
	}
	b, err := json.Marshal(checkpoint{Cursor: p.cursor})
	if err != nil {
		return fmt.Errorf("encode publisher's checkpoint: %w", err)
	}
	op := docstore.Op{Collection: checkpoints, Doc: docstore.Doc{ID: p.s.cfg.Tenant, JSON: b}}
	if err := p.s.deps.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("save publisher's checkpoint: %w", err)
	}
	p.stored, p.pending = p.cursor, 0
	return nil
}

// one publishes one event of the feed and waits until it is durable.
func (p *publisher) one(ctx context.Context, st step) error {
	e, ok, err := translate(p.s.cfg.Tenant, st.ev)
	if err != nil {
		p.s.untranslatable(err)
		return nil // tomorrow it would fail the same way; the others go on
	}
	if !ok {
		return nil
	}
	subj, err := pubSubject(p.s.cfg.Tenant, e)
	if err != nil {
		p.s.untranslatable(err)
		return nil
	}
	body, err := json.Marshal(e)
	if err != nil {
		p.s.untranslatable(err)
		return nil
	}
	msg := &nats.Msg{Subject: subj, Data: body, Header: nats.Header{"Content-Type": {cloudevent.ContentType}}}
	if _, err := p.s.deps.Bus.JS.PublishMsg(ctx, msg, jetstream.WithMsgID(e.ID), jetstream.WithExpectStream(subject.StreamPub)); err != nil {
		if tooLarge(err) {
			p.s.untranslatable(err)
			return nil
		}
		return fmt.Errorf("publish event: %w", err)
	}
	p.s.metrics.events.WithLabelValues("nats").Inc()
	p.s.metrics.lag.Set(time.Since(e.Time).Seconds())
	return nil
}

// tooLarge: over the server's limit for one message. SSE still carries it.
func tooLarge(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &api) && api.ErrorCode == 10054
}

// pubSubject is where an event is published: weftline.v1.<tenant>.event.conversation.<id>.message_received.
func pubSubject(tenant string, e cloudevent.Event) (string, error) {
	noun, id, _ := strings.Cut(e.Subject, "/")
	if !subject.ValidToken(id) {
		return "", fmt.Errorf("id of a %s cannot be part of a subject", noun)
	}
	return subject.Pub(tenant, noun, id, verb(e.Type)), nil
}
