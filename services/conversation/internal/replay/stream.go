package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// bounds of the states folded here: every conversation is held, because
// commands that bring something in name theirs. What is there already is known
// by the commits' ids, not by the state's windows.
var bounds = customer.Bounds{
	Seen: customer.DefaultBounds.Seen, Commands: customer.DefaultBounds.Commands, Closed: 1 << 30, All: 1 << 30,
	Replies: customer.DefaultBounds.Replies, Refs: customer.DefaultBounds.Refs, Units: customer.DefaultBounds.Units,
}

// stream is all that is stored of a customer, folded.
type stream struct {
	state  customer.State
	seq    uint64
	at     time.Time
	done   map[string]struct{} // commit ids
	set    map[string]bool     // attributes that were ever set
	erased bool
}

func (r *run) load(ctx context.Context, id string) (*stream, error) {
	s := &stream{done: map[string]struct{}{}, set: map[string]bool{}}
	name := "customer." + id
	for c, err := range r.Events.Load(ctx, r.cfg.Tenant, name, 0) {
		if err != nil {
			return nil, fmt.Errorf("load a customer: %w", err)
		}
		c.Stream = name
		d, err := codec.Commit(c)
		if err != nil {
			return nil, err
		}
		s.apply(d)
	}
	return s, nil
}

func (s *stream) apply(c event.Commit) {
	for _, e := range c.Events {
		switch e := e.(type) {
		case event.AttributeSet:
			s.set[e.Name] = true
		case event.CustomerErased, event.ErasureDone:
			s.erased = true
		}
	}
	s.state = bounds.Evolve(s.state, c)
	s.seq, s.at = c.Seq, c.At
	s.done[c.ID] = struct{}{}
}

// Chunks of appends: as many commits and bytes as go in one call.
const (
	chunkCommits = 128
	chunkBytes   = 8 << 20
)

// errNoteAlone: a note cannot begin a conversation.
var errNoteAlone = errors.New("conversation: its messages are all here already, in other conversations; the note was left out")

// attempts at one chunk, against others who write to the same customer and
// against unknown outcomes.
const attempts = 20

// append stores a chunk of turns on the stream, in order, and folds them. When
// somebody else was faster, or the outcome is not known, the stream is read
// anew and what is not there is decided again.
func (r *run) append(ctx context.Context, id string, s *stream, turns []turn) (*stream, error) {
	for n := 1; ; n++ {
		next, appends, err := r.decide(ctx, id, s, turns)
		if err != nil || len(appends) == 0 {
			return next, err
		}
		failed, last, stored := error(nil), uint64(0), 0
		for _, res := range r.Events.Append(ctx, appends...) {
			if res.Err != nil {
				failed = res.Err
				break
			}
			last = res.Seq
			if !res.Duplicate {
				stored++
			}
		}
		r.count(func(p *Report) { p.Commits += stored })
		if failed == nil {
			next.seq = last
			return next, nil
		}
		_, conflict := errors.AsType[*eventstore.ConflictError](failed)
		if n >= attempts || !conflict && !errors.Is(failed, eventstore.ErrUnknown) {
			return nil, failed
		}
		if s, err = r.load(ctx, id); err != nil {
			return nil, err
		}
	}
}

// decide makes commits of turns. s is not to be used after it.
func (r *run) decide(ctx context.Context, id string, s *stream, turns []turn) (*stream, []eventstore.Append, error) {
	next := *s
	var made []decided
	for _, t := range turns {
		if _, ok := next.done[t.commit]; ok || next.erased {
			continue
		}
		events, err := customer.Decide(next.state, t.command(&next))
		if _, missing := errors.AsType[*customer.MissingError](err); missing && t.kind == kindNote {
			r.count(func(p *Report) { p.Written-- })
			r.bad(t.line, "", errNoteAlone)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", t.line, err)
		}
		if len(events) == 0 {
			continue
		}
		c := event.Commit{
			ID: t.commit, Stream: "customer." + id, Seq: next.seq + 1, At: aggregate.Recorded(t.at, next.at), Actor: t.actor, Events: events,
		}
		next.apply(c)
		made = append(made, decided{t, c})
	}
	if err := r.seal(ctx, id, made); err != nil {
		return nil, nil, err
	}
	appends := make([]eventstore.Append, len(made))
	for i, d := range made {
		records, err := codec.Encode(d.Events)
		if err != nil {
			return nil, nil, err
		}
		appends[i] = eventstore.Append{Tenant: r.cfg.Tenant, Stream: d.Stream, Expect: s.seq, Commit: eventstore.Commit{
			ID: d.ID, RecordedAt: d.At, Actor: d.Actor, Cause: "import/" + r.plan.header.Source, Records: records,
		}}
	}
	return &next, appends, nil
}
