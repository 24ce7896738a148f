package mongo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Declare creates indexes, or brings collections of an older declaration up to
// date. While it does the latter no process of an older version may write.
func (s *Store) Declare(ctx context.Context, collections ...docstore.Collection) error {
	for _, c := range collections {
		t, err := schema.NewTable(c)
		if err != nil {
			return err
		}
		if err := s.declare(ctx, t); err != nil {
			return fmt.Errorf("declare collection %s: %w", c.Name, err)
		}
		s.tables.Put(t)
	}
	return nil
}

func (s *Store) declare(ctx context.Context, t *schema.Table) error {
	var spec struct {
		Spec string `bson:"spec"`
	}
	err := s.specs.FindOne(ctx, bson.D{{Key: "_id", Value: t.Name}}).Decode(&spec)
	if err == nil && spec.Spec == t.Fingerprint() {
		return nil
	}
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return err
	}
	if err == nil {
		if err := s.refill(ctx, t); err != nil {
			return err
		}
	}
	if err := s.indexes(ctx, t); err != nil {
		return err
	}
	_, err = s.specs.ReplaceOne(ctx, bson.D{{Key: "_id", Value: t.Name}},
		bson.D{{Key: "_id", Value: t.Name}, {Key: "spec", Value: t.Fingerprint()}}, options.Replace().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // another process declares the same
	}
	return err
}

// wanted are the indexes of a declaration by name. The name tells the
// definition, so an index is never there under a name that means another.
func wanted(t *schema.Table) map[string]mongo.IndexModel {
	models := map[string]mongo.IndexModel{}
	add := func(name string, keys bson.D, unique bool) {
		sum := sha256.Sum256(fmt.Append(nil, keys, unique))
		name = "i_" + name + "_" + hex.EncodeToString(sum[:4])
		opts := options.Index().SetName(name)
		if unique {
			opts.SetUnique(true).SetSparse(true)
		}
		models[name] = mongo.IndexModel{Keys: keys, Options: opts}
	}
	for _, ix := range t.Indexes {
		if ix.Unique {
			add(ix.Name, bson.D{{Key: uniqueOf(ix.Name), Value: 1}}, true)
			continue
		}
		var keys bson.D
		for _, f := range schema.IndexFields(ix) {
			keys = append(keys, bson.E{Key: fieldOf(f), Value: 1})
		}
		if len(keys) > 0 { // else _id's own
			add(ix.Name, append(keys, bson.E{Key: "_id", Value: 1}), false)
		}
	}
	if t.Searchable() {
		add("words", bson.D{{Key: fieldWords, Value: 1}, {Key: "_id", Value: 1}}, false)
	}
	return models
}

func (s *Store) indexes(ctx context.Context, t *schema.Table) error {
	view := s.db.Collection(t.Name).Indexes()
	have, err := view.ListSpecifications(ctx)
	var none mongo.CommandError
	if errors.As(err, &none) && none.Name == "NamespaceNotFound" {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	want := wanted(t)
	for _, ix := range have {
		if _, keep := want[ix.Name]; keep {
			delete(want, ix.Name)
		} else if strings.HasPrefix(ix.Name, "i_") {
			if err := view.DropOne(ctx, ix.Name); err != nil {
				return fmt.Errorf("drop index %s: %w", ix.Name, err)
			}
		}
	}
	for name, model := range want { // one call each: some servers fail at a set of which a part is there
		if _, err := view.CreateOne(ctx, model); mongo.IsDuplicateKeyError(err) {
			return fmt.Errorf("create index %s: %w", name, docstore.ErrExists)
		} else if err != nil {
			return fmt.Errorf("create index %s: %w", name, err)
		}
	}
	return nil
}

// refill writes the extracted fields of all documents again.
func (s *Store) refill(ctx context.Context, t *schema.Table) error {
	coll := s.db.Collection(t.Name)
	return s.scan(ctx, t.Name, func(d docstore.Doc) error {
		row, err := t.Extract(d.JSON)
		if err != nil {
			return fmt.Errorf("document %s: %w", d.ID, err)
		}
		// Only as it was read: who changes it now writes the new fields himself.
		filter := bson.D{{Key: "_id", Value: d.ID}, {Key: fieldSeq, Value: int64(d.Seq)}, {Key: fieldJSON, Value: string(d.JSON)}}
		_, err = coll.ReplaceOne(ctx, filter, document(t, d, row))
		return err
	})
}

// Drop removes a collection with its indexes.
func (s *Store) Drop(ctx context.Context, collection string) error {
	if _, err := schema.NewTable(docstore.Collection{Name: collection}); err != nil {
		return err
	}
	// First the declaration: a crash in between leaves documents, and the next Declare refreshes them.
	if _, err := s.specs.DeleteOne(ctx, bson.D{{Key: "_id", Value: collection}}); err != nil {
		return fmt.Errorf("drop collection %s: %w", collection, err)
	}
	if err := s.db.Collection(collection).Drop(ctx); err != nil {
		return fmt.Errorf("drop collection %s: %w", collection, err)
	}
	s.tables.Remove(collection)
	return nil
}
