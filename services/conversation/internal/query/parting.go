package query

import (
	"context"
	"slices"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// maxWritten bounds what a preview lists as written while two sides were one.
const maxWritten = 100

// PreviewUnmerge shows what would come apart, and which links must all be cut
// for that: those named, and in a ring the ones that would still connect both.
// It writes nothing.
func (r *Reader) PreviewUnmerge(ctx context.Context, q *identityv1.PreviewUnmergeRequest) (*identityv1.PreviewUnmergeResponse, error) {
	p, release := r.live.Acquire()
	defer release()
	g := p.Graph()
	named, a, b, err := parting(g, q)
	if err != nil {
		return nil, err
	}
	members := g.Members(a)
	edges := slices.DeleteFunc(g.Between(members), func(e person.Edge) bool { return slices.Contains(named, e.Link) })
	rest := person.Cut(edges, a, b)
	all := slices.Clone(named)
	for _, e := range rest {
		all = append(all, e.Link)
	}
	whole, err := r.side(ctx, p, members, a)
	if err != nil {
		return nil, err
	}
	out := &identityv1.PreviewUnmergeResponse{}
	for _, l := range whole.person.Links {
		if slices.Contains(all, l.GetId()) {
			out.Links = append(out.Links, l)
		}
		if slices.ContainsFunc(rest, func(e person.Edge) bool { return e.Link == l.GetId() }) {
			out.Remaining = append(out.Remaining, l)
		}
	}
	for _, s := range []struct {
		to *(*identityv1.Side)
		id string
	}{{&out.A, a}, {&out.B, b}} {
		one, err := r.side(ctx, p, g.MembersWithout(s.id, all...), s.id)
		if err != nil {
			return nil, err
		}
		if *s.to, err = r.showSide(ctx, p.Names(), one); err != nil {
			return nil, err
		}
		if out.Written, err = r.written(ctx, p.Names(), one, since(out.Links), out.Written); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parting finds who is to be parted, and by which links so far.
func parting(g *person.Graph, q *identityv1.PreviewUnmergeRequest) (named []string, a, b string, err error) {
	a, b = q.GetA(), q.GetB()
	for i, id := range q.GetLinkIds() {
		e, active, ok := g.Link(id)
		if !ok || !active {
			return nil, "", "", &FieldError{"link_ids", "names a link that is not active"}
		}
		if i == 0 && b == "" {
			a, b = e.A, e.B
		}
		named = append(named, id)
	}
	switch {
	case a == "" || b == "":
		return nil, "", "", &FieldError{"b", "or link_ids are required"}
	case a == b:
		return nil, "", "", &FieldError{"b", "must be another customer than a"}
	case !slices.Contains(g.Members(a), b):
		return nil, "", "", &FieldError{"b", "is not one person with a"}
	}
	return named, a, b, nil
}

// since is when the first of the links was made.
func since(links []*identityv1.Link) time.Time {
	var first time.Time
	for _, l := range links {
		if at := l.GetAt().AsTime(); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// written are the notes and attributes a side got since then: they stay there.
func (r *Reader) written(ctx context.Context, n readmodel.Names, s *side, since time.Time, out []*identityv1.Written) ([]*identityv1.Written, error) {
	for _, c := range s.customers {
		page, err := list[readmodel.Entry](ctx, r.store, n.Timeline, docstore.Query{
			Index: readmodel.ByCustomer, Prefix: []any{c.ID}, Limit: docstore.MaxPage, From: event.Position(since, 0, 0),
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			w := &identityv1.Written{CustomerId: c.ID, EntryId: e.ID}
			switch {
			case len(out) >= maxWritten:
				return out, nil
			case e.Kind == readmodel.KindNote:
				shown, err := r.view.Entry(ctx, e, nil)
				if err != nil {
					return nil, err
				}
				w.Kind, w.Text = "note", beginning(shown.GetNote().GetText())
			case e.Verb == "attribute":
				w.Kind, w.Text = "attribute", e.Value
			default:
				continue
			}
			out = append(out, w)
		}
	}
	return out, nil
}

// beginning is the first 80 characters.
func beginning(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
