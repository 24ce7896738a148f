package query

import (
	"cmp"
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// merge is the entries of the person that a query wants.
func (p *aPerson) merge(ctx context.Context, q timelineQuery) (*merge, error) {
	m := &merge{world: p.world, desc: !q.newer, token: q.token, learn: p.learn, left: lookAt}
	keep := func(e *readmodel.Entry) bool {
		return (len(q.kinds) == 0 || slices.Contains(q.kinds, e.Kind)) &&
			(len(q.channels) == 0 || slices.Contains(q.channels, e.Channel))
	}
	own := func(e *readmodel.Entry) bool { return keep(e) && p.shows(e) }
	if q.conversation != "" {
		conversations, err := p.together(ctx, q.conversation)
		if err != nil {
			return nil, err
		}
		for _, id := range conversations {
			m.sources = append(m.sources, &source{query: entries{index: readmodel.ByConversation, prefix: id}, keep: own})
		}
	} else {
		for _, id := range p.members {
			m.sources = append(m.sources, &source{
				query: entries{index: readmodel.ByCustomer, prefix: id}, keep: own, bound: p.bound(id, m.desc),
			})
		}
		for _, h := range p.moved {
			m.sources = append(m.sources, &source{
				query: entries{index: readmodel.ByTranscript, prefix: h},
				keep:  func(e *readmodel.Entry) bool { return !p.member(e.Customer) && own(e) },
			})
		}
	}
	m.chunk = share(q.size+1, len(m.sources))
	if m.desc && m.token == "" && q.conversation == "" && len(p.members) > fewMembers {
		return m, p.heads(ctx, m, q.size+1)
	}
	return m, nil
}

// share is how many entries of each of some sources to read first, for so many
// of all: three times its share, since they do not come in turn.
func share(entries, sources int) int {
	if sources <= 1 {
		return max(1, entries)
	}
	return max(3, min(entries, 3*entries/sources))
}

// fewMembers is up to how many customers a first page asks each one's index.
const fewMembers = 4

// heads gives a merge from the newest end what its customers' documents know of
// their newest entries, as many as a page can need: one look-up by ids in place
// of one page for each customer.
func (p *aPerson) heads(ctx context.Context, m *merge, n int) error {
	type head struct {
		readmodel.Head
		source *source
	}
	var all []head
	for _, s := range m.sources {
		id := s.query.prefix
		if s.query.index != readmodel.ByCustomer || p.world.persons().Joining(id) {
			continue
		}
		// What happened between him and others is not among his heads.
		tied := positionAt(p.world.persons().Tied(id).UnixMicro() + 1)
		for _, h := range p.customers[id].Heads {
			if h.Position < tied {
				break
			}
			all = append(all, head{h, s})
		}
	}
	slices.SortFunc(all, func(a, b head) int {
		return cmp.Compare(b.Position+"."+b.source.query.prefix, a.Position+"."+a.source.query.prefix)
	})
	all, rest := all[:min(n, len(all))], all[min(n, len(all)):]
	m.chunk = share(n-len(all), len(m.sources)) // what is left to be read
	ids := make([]string, len(all))
	for i, h := range all {
		ids[i] = h.ID
	}
	found, err := p.world.entriesByID(ctx, ids...)
	if err != nil {
		return err
	}
	var page []*readmodel.Entry
	for _, h := range all {
		if e := found[h.ID]; e != nil {
			page = append(page, e)
		}
	}
	if err := m.learn(ctx, page); err != nil {
		return err
	}
	for _, h := range all {
		h.source.past = h.Position + "." + h.source.query.prefix
		h.source.bound = h.source.past
		if e := found[h.ID]; e != nil && h.source.keep(e) {
			h.source.buf = append(h.source.buf, e)
		}
	}
	for _, h := range slices.Backward(rest) { // the newest that is left is where to read on
		h.source.bound = h.Position + "." + h.source.query.prefix
	}
	return nil
}

// bound is a key no entry of a customer's stands before, read from that end.
// Of what happened between him and others his own stream knows nothing.
func (p *aPerson) bound(id string, desc bool) string {
	c := p.customers[id]
	switch {
	case p.world.persons().Joining(id):
		return ""
	case desc && c.Top() != "":
		top := c.Top() + "." + id
		if at := p.world.persons().Tied(id); !at.IsZero() {
			top = max(top, positionAt(at.UnixMicro()+1))
		}
		return top
	case !desc && c.CreatedAt > 0:
		return positionAt(c.CreatedAt)
	}
	return ""
}
