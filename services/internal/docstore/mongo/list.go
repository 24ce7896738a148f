package mongo

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// prefixed picks an index's documents. Values are strings and integers by
// schema.Value, so none of them can be an operator.
func prefixed(ix docstore.Index, values []any) bson.A {
	if ix.Unique {
		return bson.A{where(uniqueOf(ix.Name), tuple(values))}
	}
	var conds bson.A
	for i, f := range ix.Prefix {
		conds = append(conds, where(fieldOf(f), values[i]))
	}
	switch {
	case ix.Sort != "":
		conds = append(conds, where(fieldOf(ix.Sort), op("$exists", true)))
	case len(conds) == 0:
		conds = append(conds, present)
	}
	return conds
}

// page is the filter and order of a List.
func page(p schema.Plan) (filter, order bson.D) {
	key, more, dir := "_id", "$gt", 1
	if p.Index.Sort != "" {
		key = fieldOf(p.Index.Sort)
	}
	if p.Desc {
		more, dir = "$lt", -1
	}
	conds := prefixed(p.Index, p.Prefix)
	if p.From != nil {
		conds = append(conds, where(key, op("$gte", p.From)))
	}
	if p.To != nil {
		conds = append(conds, where(key, op("$lt", p.To)))
	}
	if p.After != nil {
		if p.Index.Sort == "" {
			conds = append(conds, where(key, op(more, p.After.ID)))
		} else {
			// The first condition gives the index its bound, which an $or alone does not.
			conds = append(conds, where(key, op(more+"e", p.After.Key)), op("$or", bson.A{
				where(key, op(more, p.After.Key)), where("_id", op(more, p.After.ID)),
			}))
		}
	}
	order = where(key, dir)
	if key != "_id" {
		order = append(order, bson.E{Key: "_id", Value: dir})
	}
	return op("$and", conds), order
}

// List reads a page along the index.
func (s *Store) List(ctx context.Context, collection string, q docstore.Query) ([]docstore.Item, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return nil, err
	}
	p, err := t.Plan(q)
	if err != nil {
		return nil, err
	}
	filter, order := page(p)
	opts := options.Find().SetSort(order).SetLimit(int64(p.Limit))
	proj := slices.Clone(shown)
	key := ""
	if p.Index.Sort != "" {
		key = fieldOf(p.Index.Sort)
		proj = append(proj, bson.E{Key: key, Value: 1})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cur, err := s.db.Collection(collection).Find(ctx, filter, opts.SetProjection(proj))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var items []docstore.Item
	for cur.Next(ctx) {
		var d stored
		if err := cur.Decode(&d); err != nil {
			return nil, fmt.Errorf("list %s: %w", collection, err)
		}
		pos := schema.Position{Key: d.ID, ID: d.ID}
		if key != "" {
			v := cur.Current.Lookup(key)
			if n, ok := v.AsInt64OK(); ok {
				pos.Key = n
			} else if str, ok := v.StringValueOK(); ok {
				pos.Key = str
			}
		}
		items = append(items, docstore.Item{Doc: d.doc(), Token: p.Scope.Token(pos)})
	}
	if err := cur.Err(); err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	return items, nil
}

// Count counts along the index.
func (s *Store) Count(ctx context.Context, collection, index string, prefix []any, limit int) (int64, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return 0, err
	}
	ix, values, err := t.Prefix(index, prefix)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", collection, err)
	}
	opts := options.Count()
	if limit > 0 {
		opts.SetLimit(int64(limit))
	}
	n, err := s.db.Collection(collection).CountDocuments(ctx, op("$and", prefixed(ix, values)), opts)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", collection, err)
	}
	return n, nil
}
