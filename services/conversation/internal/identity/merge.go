package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

// Merge makes one person of two customers.
type Merge struct {
	Order
	A, B       string // the ids named; they are never replaced by canonical ones
	Token      string // of the preview
	Suggestion string // it accepts, "" for none
}

// Merge writes one link. Who is one person already stays so, and the link that
// makes him one is returned. Refused when either side is erased or blocked, and
// with a *StaleError when it is not as it was previewed.
func (s *Service) Merge(ctx context.Context, m Merge) (Done, error) {
	o, err := m.prepared()
	if err != nil {
		return Done{}, err
	}
	a, b, err := pair("a", m.A, m.B)
	if err != nil {
		return Done{}, err
	}
	id := s.Keys.Hash("order/merge", o.Tenant, o.Actor, a, b, o.Key)
	before, err := s.Links.Load(ctx, o.Tenant, person.PairID(a, b))
	if err != nil {
		return Done{}, err
	}
	if l, repeated := before.Link(id); repeated { // whatever became of it since
		return Done{ID: l.ID}, nil
	}
	if existing, ok := s.already(before, a, b); ok {
		return Done{ID: existing}, nil
	}
	now, err := s.Reads.Standing(ctx, a, b)
	if err != nil {
		return Done{}, err
	}
	if now.Refused != "" {
		return Done{}, &customer.RefusedError{Reason: now.Refused}
	}
	if err := check(s.Keys, m.Token, a, b, now); err != nil {
		return Done{}, err
	}
	cmd := link.Make{Link: id, A: a, B: b, Rule: link.RuleAgent}
	if m.Suggestion != "" {
		if cmd.Reasons, err = s.reasons(ctx, o, a, b, m.Suggestion); err != nil {
			return Done{}, err
		}
	}
	out, err := s.turn(ctx, o, a, b, cmd)
	if err != nil {
		return Done{}, err
	}
	if existing, ok := out.State.Linked(); ok && !out.Appended {
		id = existing // somebody was faster
	}
	return done(id, out), nil
}

// already finds the link that makes one person of two: on their own pair, else
// the first of those that connect them over others.
func (s *Service) already(own link.State, a, b string) (string, bool) {
	if id, ok := own.Linked(); ok {
		return id, true
	}
	g := s.Reads.Graph()
	members := g.Members(a)
	if !slices.Contains(members, b) {
		return "", false
	}
	for _, e := range g.Between(members) {
		return e.Link, true
	}
	return "", false
}

// reasons are those of a suggestion, which the link takes over.
func (s *Service) reasons(ctx context.Context, o Order, a, b, suggestion string) ([]event.Reason, error) {
	for c, err := range s.Links.History(ctx, o.Tenant, person.PairID(a, b)) {
		if err != nil {
			return nil, err
		}
		events, err := codec.Decode(c)
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			if e, ok := ev.(event.LinkSuggested); ok && e.Suggestion == suggestion {
				return e.Reasons, nil
			}
		}
	}
	return nil, &customer.NotFoundError{What: "suggestion", ID: suggestion}
}

// turn executes a command on a pair.
func (s *Service) turn(ctx context.Context, o Order, a, b string, c link.Command) (aggregate.Outcome[link.State], error) {
	out, err := s.Links.Execute(ctx, o.Tenant, person.PairID(a, b), aggregate.Turn[link.State]{
		ID:     c.CommitID(),
		Decide: func(st link.State) ([]event.Event, error) { return link.Decide(st, c) },
		Actor:  o.Actor, Trace: o.Trace,
	})
	return out, translated(err)
}

func done[S any](id string, outs ...aggregate.Outcome[S]) Done {
	d := Done{ID: id}
	for _, o := range outs {
		if o.Appended {
			d.Commits = append(d.Commits, o.Commit)
		}
	}
	return d
}

// LimitLinks bounds the links of one Unmerge.
const LimitLinks = 200

// Unmerge takes links back, in any order and whoever made them. All of them are
// looked up before the first is cut.
func (s *Service) Unmerge(ctx context.Context, o Order, links []string) (Done, []person.Edge, error) {
	o, err := o.prepared()
	if err != nil {
		return Done{}, nil, err
	}
	if len(links) < 1 || len(links) > LimitLinks {
		return Done{}, nil, &customer.FieldError{Field: "link_ids", Problem: fmt.Sprintf("must name 1 to %d links", LimitLinks)}
	}
	g := s.Reads.Graph()
	edges := make([]person.Edge, 0, len(links))
	for _, id := range links {
		e, _, ok := g.Link(id)
		if !ok {
			return Done{}, nil, &customer.NotFoundError{What: "link", ID: id}
		}
		edges = append(edges, e)
	}
	var outs []aggregate.Outcome[link.State]
	for _, e := range edges {
		out, err := s.turn(ctx, o, e.A, e.B, link.Undo{Link: e.Link, Reason: link.RuleAgent})
		if err != nil {
			return Done{}, nil, err
		}
		outs = append(outs, out)
	}
	return done("", outs...), edges, nil
}

// Refuse says no to a suggestion for good: until there is other evidence.
func (s *Service) Refuse(ctx context.Context, o Order, a, b, suggestion string) (Done, error) {
	o, err := o.prepared()
	if err != nil {
		return Done{}, err
	}
	if a, b, err = pair("a", a, b); err != nil {
		return Done{}, err
	}
	id := "cmd:" + s.Keys.Hash("order/refuse", o.Tenant, o.Actor, suggestion, o.Key)
	out, err := s.turn(ctx, o, a, b, link.Refuse{ID: id, Suggestions: []string{suggestion}})
	return done("", out), err
}
