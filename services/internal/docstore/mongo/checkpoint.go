package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Checkpoint reads a position.
func (s *Store) Checkpoint(ctx context.Context, name string, partition int) (uint64, error) {
	var d stored
	err := s.checkpoints.FindOne(ctx, where("_id", checkpointID(name, partition))).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read checkpoint %s: %w", name, err)
	}
	return uint64(d.Seq), nil
}

func checkpointID(name string, partition int) string { return fmt.Sprintf("%s/%d", name, partition) }

func (s *Store) setCheckpoint(ctx context.Context, cp docstore.Checkpoint) error {
	update := bson.D{{Key: "$max", Value: where(fieldSeq, int64(cp.Seq))}, {Key: "$setOnInsert", Value: where("name", cp.Name)}}
	// Two first writes at once can collide; the second one then finds the document.
	for try := 0; ; try++ {
		_, err := s.checkpoints.UpdateOne(ctx, where("_id", checkpointID(cp.Name, cp.Partition)), update, options.UpdateOne().SetUpsert(true))
		if !mongo.IsDuplicateKeyError(err) || try == 3 {
			return err
		}
	}
}

// DropCheckpoints forgets all partitions of a name.
func (s *Store) DropCheckpoints(ctx context.Context, name string) error {
	if _, err := s.checkpoints.DeleteMany(ctx, where("name", name)); err != nil {
		return fmt.Errorf("drop checkpoints %s: %w", name, err)
	}
	return nil
}
