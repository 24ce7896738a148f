package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// rule is what links of a file rest on.
const rule = "import@1"

// link makes one person of those the file says are one. A link that was taken
// back here stays taken back.
func (r *run) link(ctx context.Context) error {
	for _, l := range r.plan.links {
		a, b := l.a.target, l.b.target
		if a == "" || b == "" || a == b {
			continue
		}
		if a > b {
			a, b = b, a
		}
		id := r.Keys.Hash("import/link", r.cfg.Tenant, r.plan.header.Source, min(l.a.derived, l.b.derived), max(l.a.derived, l.b.derived))
		at := l.at
		if at.IsZero() { // when both were there
			at = later(began(l.a), began(l.b))
		}
		if err := r.pair(ctx, event.Linked{
			Link: id, A: a, B: b, Rule: rule, Reasons: []event.Reason{{Kind: "import", Evidence: []string{l.a.derived, l.b.derived}}},
		}, at); err != nil {
			return fmt.Errorf("line %d: %w", l.line, err)
		}
	}
	return nil
}

// began is when a person is there: now, where the file does not say.
func began(who *person) time.Time {
	if who.first.IsZero() {
		return time.Now()
	}
	return who.first
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// pair appends to the pair's stream unless the link was ever there.
func (r *run) pair(ctx context.Context, e event.Linked, at time.Time) error {
	name := "link." + e.A + "." + e.B
	records, err := codec.Encode([]event.Event{e})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		var seq uint64
		var last time.Time
		for c, err := range r.Events.Load(ctx, r.cfg.Tenant, name, 0) {
			if err != nil {
				return fmt.Errorf("load a pair: %w", err)
			}
			if c.ID == e.Link {
				return nil
			}
			seq, last = c.Seq, c.RecordedAt
		}
		res := r.Events.Append(ctx, eventstore.Append{Tenant: r.cfg.Tenant, Stream: name, Expect: seq, Commit: eventstore.Commit{
			ID: e.Link, RecordedAt: aggregate.Recorded(at, last), Actor: actorImport, Cause: "import/" + r.plan.header.Source, Records: records,
		}})[0]
		if res.Err == nil {
			if !res.Duplicate {
				r.count(func(p *Report) { p.Commits++ })
			}
			return nil
		}
		_, conflict := errors.AsType[*eventstore.ConflictError](res.Err)
		if n >= attempts || !conflict && !errors.Is(res.Err, eventstore.ErrUnknown) {
			return res.Err
		}
	}
}
