package mongo

import (
	"context"
	"fmt"
	"regexp"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Search asks the index of words, greatest id first.
func (s *Store) Search(ctx context.Context, collection string, q docstore.SearchQuery) ([]docstore.Item, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return nil, err
	}
	p, err := t.PlanSearch(q)
	if err != nil || len(p.Words) == 0 {
		return nil, err
	}
	docs, err := s.find(ctx, collection, matching(p), options.Find().SetSort(where("_id", -1)).SetLimit(int64(p.Limit)))
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", collection, err)
	}
	var items []docstore.Item
	for _, d := range docs {
		items = append(items, docstore.Item{Doc: d.doc(), Token: p.Scope.Token(schema.Position{Key: d.ID, ID: d.ID})})
	}
	return items, nil
}

// matching is the filter of a Search. A text index would neither match
// prefixes nor ask for all words.
func matching(p schema.SearchPlan) bson.D {
	var conds bson.A
	last := len(p.Words) - 1
	for _, w := range p.Words[:last] {
		conds = append(conds, where(fieldWords, w))
	}
	conds = append(conds, where(fieldWords, bson.Regex{Pattern: "^" + regexp.QuoteMeta(p.Words[last])}))
	for _, f := range p.Filter {
		conds = append(conds, where(fieldOf(f.Field), f.Value))
	}
	if p.After != nil {
		conds = append(conds, where("_id", op("$lt", p.After.ID)))
	}
	return op("$and", conds)
}
