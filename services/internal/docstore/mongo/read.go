package mongo

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
)

func op(name string, v any) bson.D { return bson.D{{Key: name, Value: v}} }

func where(field string, v any) bson.D { return bson.D{{Key: field, Value: v}} }

var present = where(fieldJSON, op("$exists", true))

// Get reads one document.
func (s *Store) Get(ctx context.Context, collection, id string) (docstore.Doc, error) {
	docs, err := s.GetMany(ctx, collection, id)
	if err != nil {
		return docstore.Doc{}, err
	}
	if docs[0].JSON == nil {
		return docstore.Doc{}, fmt.Errorf("get from %s: %w", collection, docstore.ErrNotFound)
	}
	return docs[0], nil
}

// GetMany asks for up to 1,000 ids at a time.
func (s *Store) GetMany(ctx context.Context, collection string, ids ...string) ([]docstore.Doc, error) {
	if _, err := s.tables.Get(collection); err != nil {
		return nil, err
	}
	found := map[string]stored{}
	for some := range slices.Chunk(ids, 1000) {
		var filter bson.D
		if len(some) == 1 {
			filter = where("_id", some[0])
		} else {
			filter = where("_id", op("$in", some))
		}
		docs, err := s.find(ctx, collection, filter, options.Find())
		if err != nil {
			return nil, fmt.Errorf("get from %s: %w", collection, err)
		}
		for _, d := range docs {
			found[d.ID] = d
		}
	}
	out := make([]docstore.Doc, len(ids))
	for i, id := range ids {
		out[i].ID = id
		if d, ok := found[id]; ok && d.JSON != "" {
			out[i] = d.doc()
		}
	}
	return out, nil
}

var shown = bson.D{{Key: fieldSeq, Value: 1}, {Key: fieldJSON, Value: 1}}

func (s *Store) find(ctx context.Context, collection string, filter bson.D, opts *options.FindOptionsBuilder) ([]stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cur, err := s.db.Collection(collection).Find(ctx, filter, opts.SetProjection(shown))
	if err != nil {
		return nil, err
	}
	var docs []stored
	err = cur.All(ctx, &docs)
	return docs, err
}

// Scan reads page by page.
func (s *Store) Scan(ctx context.Context, collection string, fn func(docstore.Doc) error) error {
	if _, err := s.tables.Get(collection); err != nil {
		return err
	}
	return s.scan(ctx, collection, fn)
}

func (s *Store) scan(ctx context.Context, collection string, fn func(docstore.Doc) error) error {
	const rows = 200
	for after := ""; ; {
		filter := op("$and", bson.A{where("_id", op("$gt", after)), present})
		docs, err := s.find(ctx, collection, filter, options.Find().SetSort(where("_id", 1)).SetLimit(rows))
		if err != nil {
			return fmt.Errorf("scan %s: %w", collection, err)
		}
		for _, d := range docs {
			if err := fn(d.doc()); err != nil {
				return err
			}
		}
		if len(docs) < rows {
			return nil
		}
		after = docs[len(docs)-1].ID
	}
}
