package query

import (
	"cmp"
	"context"
	"errors"
	"slices"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// maxFormer bounds the links shown that were taken back.
const maxFormer = 50

// Graph says who is one person, as far as it is projected.
func (r *Reader) Graph() *person.Graph { return r.live.Graph() }

// Person resolves any customer id that was ever given, ErrNotFound for others.
func (r *Reader) Person(ctx context.Context, id string) (*identityv1.GetPersonResponse, error) {
	p, release := r.live.Acquire()
	defer release()
	asOf := r.asOf(p)
	s, err := r.side(ctx, p, p.Graph().Members(id), id)
	if err != nil {
		return nil, err
	}
	if s.person.Repeats, err = r.Repeats(ctx, id); errors.Is(err, ErrNotFound) {
		err = nil // of a tombstone nothing is counted
	}
	return &identityv1.GetPersonResponse{Person: s.person, AsOf: asOf}, err
}

// side is some customers as one person, read once.
type side struct {
	person    *identityv1.Person
	customers []*readmodel.Customer // that are not erased, oldest first
	shown     []*inboxv1.Customer   // the same
	proofs    map[string][]*proof   // by customer
	pairs     []*readmodel.Pair     // every pair that one of them is in
}

// side reads members as one person. id is whom the caller asked for: it must exist.
func (r *Reader) side(ctx context.Context, p *readmodel.Projector, members []string, id string) (*side, error) {
	g, n := p.Graph(), p.Names()
	docs, err := getMany[readmodel.Customer](ctx, r.store, n.Customers, members...)
	if err != nil {
		return nil, err
	}
	if docs[id] == nil && !g.Erased(id) {
		return nil, &MissingError{"customer"}
	}
	s := &side{person: &identityv1.Person{Id: canonical(g, members)}, proofs: map[string][]*proof{}}
	for _, m := range members {
		out := &identityv1.Member{Erased: g.Erased(m), Customer: &inboxv1.Customer{Id: m}}
		if c := docs[m]; c != nil && !out.Erased {
			if err := r.member(ctx, s, c, out); err != nil {
				return nil, err
			}
			holds, err := r.view.Holds(ctx, c)
			if err != nil {
				return nil, err
			}
			s.person.Holds = append(s.person.Holds, holds...)
		}
		s.person.Members = append(s.person.Members, out)
	}
	if s.pairs, err = r.pairs(ctx, n, g, members); err != nil {
		return nil, err
	}
	s.links(g, members)
	return s, r.shared(ctx, s)
}

func canonical(g *person.Graph, members []string) string {
	for _, m := range members {
		if !g.Erased(m) {
			return m
		}
	}
	return members[0]
}

// member fills in one customer with his handles.
func (r *Reader) member(ctx context.Context, s *side, c *readmodel.Customer, out *identityv1.Member) error {
	handles := view.Handles{}
	for _, ch := range c.Handles {
		if ch.Ended {
			continue
		}
		h, err := r.proof(ctx, ch.Handle)
		if err != nil {
			return err
		}
		if h.Customer != c.ID {
			continue // moved, and his own stream has not heard of it yet
		}
		handles[h.ID] = &h.Handle
		s.proofs[c.ID] = append(s.proofs[c.ID], h)
		shown, err := r.showProof(ctx, h)
		if err != nil {
			return err
		}
		out.Handles = append(out.Handles, shown)
	}
	shown, err := r.view.Customer(ctx, c, handles)
	if err != nil {
		return err
	}
	out.Customer, out.OpenConversations = shown, c.Open
	s.customers, s.shown = append(s.customers, c), append(s.shown, shown)
	return nil
}

// pairs are the documents of everybody one of the members was ever tied to.
func (r *Reader) pairs(ctx context.Context, n readmodel.Names, g *person.Graph, members []string) ([]*readmodel.Pair, error) {
	var ids []string
	for _, m := range members {
		for _, peer := range g.Peers(m) {
			ids = append(ids, person.PairID(m, peer))
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, err := getMany[readmodel.Pair](ctx, r.store, n.Pairs, ids...)
	if err != nil {
		return nil, err
	}
	var out []*readmodel.Pair
	for _, id := range ids {
		if found[id] != nil {
			out = append(out, found[id])
		}
	}
	return out, nil
}

// links fills in what ties the members, what did, and what is suggested.
func (s *side) links(g *person.Graph, members []string) {
	for _, v := range s.pairs {
		for _, l := range v.Links {
			if !l.Active() {
				s.person.FormerLinks = append(s.person.FormerLinks, showLink(v, l))
			} else if slices.Contains(members, v.A) && slices.Contains(members, v.B) {
				s.person.Links = append(s.person.Links, showLink(v, l))
			}
		}
		if !erased(g, v) {
			s.person.Suggestions += int32(len(v.Open()))
		}
	}
	slices.SortFunc(s.person.Links, func(a, b *identityv1.Link) int {
		return cmp.Or(a.GetAt().AsTime().Compare(b.GetAt().AsTime()), cmp.Compare(a.GetId(), b.GetId()))
	})
	slices.SortFunc(s.person.FormerLinks, func(a, b *identityv1.Link) int {
		return b.GetUndoneAt().AsTime().Compare(a.GetUndoneAt().AsTime())
	})
	s.person.FormerLinks = s.person.FormerLinks[:min(len(s.person.FormerLinks), maxFormer)]
}

// shared fills in what is said of the person as a whole: name and attributes,
// the newest of his customers', and the level.
func (r *Reader) shared(ctx context.Context, s *side) (err error) {
	handles := view.Handles{}
	for _, proofs := range s.proofs {
		for _, h := range proofs {
			handles[h.ID] = &h.Handle
		}
	}
	if s.person.Attributes, err = r.view.Attributes(ctx, s.customers...); err != nil {
		return err
	}
	if len(s.customers) > 0 { // of an erased person there is no name
		if s.person.Name, err = r.view.Name(ctx, handles, s.customers...); err != nil {
			return err
		}
	}
	s.person.Assurance = s.lowest()
	return nil
}

// lowest is the least level of a handle of his, 0 without one.
func (s *side) lowest() int32 {
	level, any := int32(4), false
	for _, m := range s.person.Members {
		for _, h := range m.Handles {
			level, any = min(level, h.GetHandle().GetAssurance()), true
		}
	}
	if !any {
		return 0
	}
	return level
}
