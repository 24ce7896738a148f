// Package mongo is docstore's engine on MongoDB, a replica set or a sharded
// cluster. It uses single-document atomicity only: no transactions, no change
// streams, no text index. docs/mongodb.md says how documents look there.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Options of Open.
type Options struct {
	Database string        // empty: "weftline"
	Wait     time.Duration // for the server at Open; 0: 10 s
}

// Store is a docstore.Store. Safe for concurrent use.
type Store struct {
	client      *mongo.Client
	db          *mongo.Database
	checkpoints *mongo.Collection
	specs       *mongo.Collection
	tables      schema.Tables
}

var _ docstore.Store = (*Store)(nil)

const (
	dataFormat   = 1
	closeTimeout = 10 * time.Second
)

// Open connects and checks the data format. Writes are acknowledged by a
// majority, journaled; reads go to the primary and see what a majority has.
// Whatever the URI says on these is overridden.
func Open(ctx context.Context, uri string, opts Options) (*Store, error) {
	if opts.Database == "" {
		opts.Database = "weftline"
	}
	if opts.Wait <= 0 {
		opts.Wait = 10 * time.Second
	}
	journaled := true
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetAppName("weftline").
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
		SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()))
	if err != nil {
		return nil, fmt.Errorf("connect to mongodb: %w", err)
	}
	s := &Store{client: client, db: client.Database(opts.Database)}
	// Declared names hold no dot, so these two are nobody else's.
	s.checkpoints, s.specs = s.db.Collection("weftline.checkpoints"), s.db.Collection("weftline.collections")
	wait, cancel := context.WithTimeout(ctx, opts.Wait)
	defer cancel()
	if err := s.format(wait); err != nil {
		return nil, errors.Join(fmt.Errorf("open mongodb database %s: %w", opts.Database, err), s.Close())
	}
	return s, nil
}

// format checks the version of how documents are kept, or writes it into a new database.
func (s *Store) format(ctx context.Context) error {
	const id = "!format" // no collection has such a name
	var doc struct {
		Version int `bson:"version"`
	}
	err := s.specs.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		_, err = s.specs.InsertOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "version", Value: dataFormat}})
		if mongo.IsDuplicateKeyError(err) {
			return s.format(ctx) // another process was first
		}
		return err
	}
	if err == nil && doc.Version > dataFormat {
		return fmt.Errorf("data format %d is newer than this program understands (%d): use a newer version", doc.Version, dataFormat)
	}
	return err
}

// Ping asks the primary.
func (s *Store) Ping(ctx context.Context) error { return s.client.Ping(ctx, readpref.Primary()) }

// Close disconnects.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// Backup is left to mongodump, snapshots or the operator's service.
func (s *Store) Backup(context.Context, string) error {
	return fmt.Errorf("back up mongodb: %w: use mongodump or snapshots", docstore.ErrUnsupported)
}
