package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// maxOpen bounds the open conversations a preview lists of a side.
const maxOpen = 20

// Limits name what a person breaks, "" for nothing: the rules' word on a merge.
type Limits func(members int, handles []Endpoint) string

// Endpoint is a handle as limits see it.
type Endpoint struct {
	Kind, Scope, Customer string
	Level                 int // the highest it ever had
}

// PreviewMerge shows both sides and what would become of them, now. It writes nothing.
func (r *Reader) PreviewMerge(ctx context.Context, a, b string, limits Limits) (*identityv1.PreviewMergeResponse, error) {
	p, release := r.live.Acquire()
	defer release()
	m, err := r.merging(ctx, p, a, b)
	if err != nil {
		return nil, err
	}
	out := &identityv1.PreviewMergeResponse{
		Token: identity.Token(r.keys, a, b, m.standing()), Refused: m.refused(),
	}
	for _, s := range []struct {
		to   **identityv1.Side
		side *side
	}{{&out.A, m.a}, {&out.B, m.b}, {&out.Result, m.both}} {
		if *s.to, err = r.showSide(ctx, p.Names(), s.side); err != nil {
			return nil, err
		}
	}
	out.Conflicts = m.conflicts()
	out.Warnings = m.warnings(limits)
	for _, v := range m.both.pairs {
		if !m.across(v) {
			continue
		}
		for _, s := range v.Open() {
			out.Suggestions = append(out.Suggestions, showSuggestion(v, s))
		}
	}
	if m.one {
		out.Links = m.both.person.Links
	}
	return out, r.names(ctx, p.Names(), out.Suggestions)
}

// Standing is what a merge rests on; see identity.Standing.
func (r *Reader) Standing(ctx context.Context, a, b string) (identity.Standing, error) {
	p, release := r.live.Acquire()
	defer release()
	m, err := r.merging(ctx, p, a, b)
	if err != nil {
		return identity.Standing{}, err
	}
	return m.standing(), nil
}

// merging is two sides and the person they would be.
type merging struct {
	idA, idB   string
	a, b, both *side
	one        bool // they are one already
}

func (r *Reader) merging(ctx context.Context, p *readmodel.Projector, a, b string) (*merging, error) {
	g := p.Graph()
	m := &merging{idA: a, idB: b}
	of, others := g.Members(a), g.Members(b)
	if m.one = slices.Contains(of, b); m.one { // shown as who they are, not twice the same
		of, others = []string{a}, []string{b}
	}
	all := slices.Concat(of, others)
	if m.one {
		all = g.Members(a)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var err error
	if m.a, err = r.side(ctx, p, of, a); err != nil {
		return nil, err
	}
	if m.b, err = r.side(ctx, p, others, b); err != nil {
		return nil, err
	}
	m.both, err = r.side(ctx, p, all, a)
	return m, err
}

// across says whether a pair has one customer on each side.
func (m *merging) across(v *readmodel.Pair) bool {
	return m.a.has(v.A) && m.b.has(v.B) || m.a.has(v.B) && m.b.has(v.A)
}

func (s *side) has(customer string) bool {
	return slices.ContainsFunc(s.person.Members, func(m *identityv1.Member) bool { return m.GetCustomer().GetId() == customer })
}

// member finds one of a side.
func (s *side) of(customer string) *identityv1.Member {
	for _, m := range s.person.Members {
		if m.GetCustomer().GetId() == customer {
			return m
		}
	}
	return &identityv1.Member{}
}

func (m *merging) standing() identity.Standing {
	var s identity.Standing
	s.Refused = m.refused()
	for _, v := range m.both.person.Members {
		id := v.GetCustomer().GetId()
		s.Members = append(s.Members, id)
		if v.GetErased() {
			s.Erased = append(s.Erased, id)
		}
		for _, h := range m.both.proofs[id] {
			s.Handles = append(s.Handles, fmt.Sprintf("%s/%s/%d/%d/%s", id, h.ID, h.Tenure, h.Assurance(0), h.qualifier))
		}
	}
	for _, l := range m.both.person.Links {
		s.Links = append(s.Links, l.GetId())
	}
	for _, h := range m.both.person.Holds {
		s.Holds = append(s.Holds, h.GetId())
	}
	slices.Sort(s.Handles)
	return s
}

// refused says why these two cannot be merged, "" when they can.
func (m *merging) refused() string {
	switch {
	case m.idA == m.idB:
		return "a and b are the same"
	case m.a.of(m.idA).GetErased() || m.b.of(m.idB).GetErased():
		return "a customer who was erased cannot be merged"
	case m.a.blocked(m.idA) || m.b.blocked(m.idB):
		return "a customer with nothing but blocked addresses cannot be merged"
	}
	return ""
}

// blocked says that all a customer has is blocked.
func (s *side) blocked(customer string) bool {
	all := s.proofs[customer]
	return len(all) > 0 && !slices.ContainsFunc(all, func(h *proof) bool { return h.qualifier != "blocked" })
}

// conflicts are attributes that differ.
func (m *merging) conflicts() []*identityv1.AttributeConflict {
	var out []*identityv1.AttributeConflict
	for name, a := range m.a.person.Attributes {
		if b, ok := m.b.person.Attributes[name]; ok && a != b {
			out = append(out, &identityv1.AttributeConflict{Name: name, A: a, B: b, Shown: m.both.person.Attributes[name]})
		}
	}
	slices.SortFunc(out, func(a, b *identityv1.AttributeConflict) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// showSide adds figures and the open conversations.
func (r *Reader) showSide(ctx context.Context, n readmodel.Names, s *side) (*identityv1.Side, error) {
	out := &identityv1.Side{Person: s.person}
	var rows []*readmodel.Conversation
	owners := map[string]*readmodel.Customer{}
	for _, c := range s.customers {
		owners[c.ID] = c
		out.Messages += c.Messages
		out.Conversations += c.Conversations
		out.OpenConversations += c.Open
		if first := micros(c.CreatedAt); out.FirstAt == nil || first.AsTime().Before(out.FirstAt.AsTime()) {
			out.FirstAt = first
		}
		if last := micros(c.LastAt); out.LastAt == nil || last.AsTime().After(out.LastAt.AsTime()) {
			out.LastAt = last
		}
		if c.Open == 0 {
			continue
		}
		latest, err := list[readmodel.Conversation](ctx, r.store, n.Conversations, docstore.Query{
			Index: readmodel.ByCustomer, Prefix: []any{c.ID}, Desc: true, Limit: maxConversations,
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.DeleteFunc(latest, func(v *readmodel.Conversation) bool { return v.Status != readmodel.StatusOpen })...)
	}
	slices.SortFunc(rows, func(a, b *readmodel.Conversation) int { return strings.Compare(b.Last, a.Last) })
	for _, row := range rows[:min(len(rows), maxOpen)] {
		shown, err := r.showRow(ctx, n, row, owners[row.Customer])
		if err != nil {
			return nil, err
		}
		out.Open = append(out.Open, shown)
	}
	return out, nil
}

func (r *Reader) showRow(ctx context.Context, n readmodel.Names, row *readmodel.Conversation, c *readmodel.Customer) (*inboxv1.Conversation, error) {
	ids := handlesOf(c)
	for _, t := range row.Targets {
		ids = append(ids, t.Handle)
	}
	handles, err := r.handles(ctx, n, ids)
	if err != nil {
		return nil, err
	}
	return r.view.Conversation(ctx, row, c, handles)
}
