package query

import (
	"context"
	"slices"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
)

// ListSuggestions pages open suggestions, newest first: of everybody, or of a
// person. A page is of pairs: it can hold a few more suggestions than asked for,
// when several are open of one pair.
func (r *Reader) ListSuggestions(ctx context.Context, q *identityv1.ListSuggestionsRequest) (*identityv1.ListSuggestionsResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	of := pageOf{"suggestions", q.GetCustomerId()}
	before, err := r.parsePageToken(of, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	p, release := r.live.Acquire()
	defer release()
	var page []*readmodel.Pair
	if id := q.GetCustomerId(); id != "" {
		page, err = r.openPairs(ctx, p, id, before, size+1)
	} else {
		page, err = r.suggested(ctx, p, before, size+1)
	}
	if err != nil {
		return nil, err
	}
	out := &identityv1.ListSuggestionsResponse{}
	if len(page) > size {
		page = page[:size]
		out.NextPageToken = r.pageToken(of, page[size-1].Suggested)
	}
	for _, v := range page {
		for _, s := range v.Open() {
			out.Suggestions = append(out.Suggestions, showSuggestion(v, s))
		}
	}
	return out, r.names(ctx, p.Names(), out.Suggestions)
}

// suggested are pairs with an open suggestion, newest first. Nobody is asked
// about somebody who was erased.
func (r *Reader) suggested(ctx context.Context, p *readmodel.Projector, before string, limit int) (out []*readmodel.Pair, err error) {
	g := p.Graph()
	for {
		page, err := list[readmodel.Pair](ctx, r.store, p.Names().Pairs, docstore.Query{
			Index: readmodel.BySuggested, Prefix: []any{readmodel.KindPair}, Desc: true, Limit: limit, To: upTo(before),
		})
		if err != nil {
			return nil, err
		}
		for _, v := range page {
			before = v.Suggested
			if !erased(g, v) {
				out = append(out, v)
			}
		}
		if len(out) >= limit || len(page) < limit {
			return out[:min(len(out), limit)], nil
		}
	}
}

// erased says that one of a pair is nobody any more.
func erased(g *person.Graph, v *readmodel.Pair) bool { return g.Erased(v.A) || g.Erased(v.B) }

// openPairs are those of a person with an open suggestion, newest first.
func (r *Reader) openPairs(ctx context.Context, p *readmodel.Projector, id, before string, limit int) ([]*readmodel.Pair, error) {
	g := p.Graph()
	all, err := r.pairs(ctx, p.Names(), g, g.Members(id))
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(v *readmodel.Pair) bool {
		return v.Suggested == "" || erased(g, v) || before != "" && v.Suggested >= before
	})
	slices.SortFunc(all, func(a, b *readmodel.Pair) int {
		switch {
		case a.Suggested > b.Suggested:
			return -1
		case a.Suggested < b.Suggested:
			return 1
		}
		return 0
	})
	return all[:min(len(all), limit)], nil
}

// names says who is meant.
func (r *Reader) names(ctx context.Context, n readmodel.Names, all []*identityv1.Suggestion) error {
	var ids []string
	for _, s := range all {
		ids = append(ids, s.A, s.B)
	}
	docs, err := getMany[readmodel.Customer](ctx, r.store, n.Customers, ids...)
	if err != nil {
		return err
	}
	var handles []string
	for _, c := range docs {
		if c != nil {
			handles = append(handles, handlesOf(c)...)
		}
	}
	found, err := r.handles(ctx, n, handles)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.NameA, err = r.name(ctx, docs[s.A], found); err != nil {
			return err
		}
		if s.NameB, err = r.name(ctx, docs[s.B], found); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) name(ctx context.Context, c *readmodel.Customer, handles view.Handles) (string, error) {
	return r.view.Name(ctx, handles, c)
}
