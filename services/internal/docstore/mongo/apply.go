package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// step is a checked operation.
type step struct {
	docstore.Op
	doc bson.D // to store; nil: remove for good
}

func (st step) conditional() bool { return st.Create || st.IfRev > 0 }

// Apply does the operations, then the checkpoints.
func (s *Store) Apply(ctx context.Context, b docstore.Batch) error {
	steps, err := s.prepare(b)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for len(steps) > 0 {
		if steps[0].conditional() {
			if err := s.one(ctx, steps[0]); err != nil {
				return fmt.Errorf("apply operation on %s: %w", steps[0].Collection, err)
			}
			steps = steps[1:]
			continue
		}
		n := 0
		for n < len(steps) && !steps[n].conditional() {
			n++
		}
		for _, run := range byCollection(steps[:n]) {
			if err := s.bulk(ctx, s.db.Collection(run[0].Collection), run); err != nil {
				return fmt.Errorf("apply %d operations on %s: %w", len(run), run[0].Collection, err)
			}
		}
		steps = steps[n:]
	}
	for _, cp := range b.Checkpoints {
		if err := s.setCheckpoint(ctx, cp); err != nil {
			return fmt.Errorf("apply checkpoint %s: %w", cp.Name, err)
		}
	}
	return nil
}

func (s *Store) prepare(b docstore.Batch) ([]step, error) {
	steps := make([]step, len(b.Ops))
	for i, op := range b.Ops {
		t, err := s.tables.Get(op.Collection)
		if err != nil {
			return nil, fmt.Errorf("apply operation %d: %w", i, err)
		}
		if op, err = schema.CheckOp(op); err != nil {
			return nil, fmt.Errorf("apply operation %d on %s: %w", i, op.Collection, err)
		}
		steps[i].Op = op
		if op.Delete {
			if op.Doc.Seq > 0 {
				steps[i].doc = tombstone(op.Doc)
			}
			continue
		}
		row, err := t.Extract(op.Doc.JSON)
		if err != nil {
			return nil, fmt.Errorf("apply operation %d on %s: %w", i, op.Collection, err)
		}
		steps[i].doc = document(t, op.Doc, row)
	}
	for _, cp := range b.Checkpoints {
		if cp.Seq > 1<<63-1 {
			return nil, fmt.Errorf("apply checkpoint %s: seq: at most 1<<63-1 is allowed", cp.Name)
		}
	}
	return steps, nil
}

// byCollection gathers steps, keeping their order within a collection.
func byCollection(steps []step) [][]step {
	var runs [][]step
	at := map[string]int{}
	for _, st := range steps {
		i, ok := at[st.Collection]
		if !ok {
			i = len(runs)
			at[st.Collection] = i
			runs = append(runs, nil)
		}
		runs[i] = append(runs[i], st)
	}
	return runs
}

// one does a conditional step.
func (s *Store) one(ctx context.Context, st step) error {
	coll := s.db.Collection(st.Collection)
	there := bson.E{Key: fieldJSON, Value: bson.D{{Key: "$exists", Value: !st.Create}}}
	filter := bson.D{{Key: "_id", Value: st.Doc.ID}, there}
	if st.Create {
		// Matches what a delete left, inserts when nothing is there, and collides with a document.
		_, err := coll.ReplaceOne(ctx, filter, st.doc, options.Replace().SetUpsert(true))
		if mongo.IsDuplicateKeyError(err) {
			return docstore.ErrExists
		}
		return err
	}
	filter = append(filter, bson.E{Key: fieldSeq, Value: int64(st.IfRev)})
	var matched int64
	if st.doc == nil {
		res, err := coll.DeleteOne(ctx, filter)
		if err != nil {
			return err
		}
		matched = res.DeletedCount
	} else {
		res, err := coll.ReplaceOne(ctx, filter, st.doc)
		if mongo.IsDuplicateKeyError(err) {
			return docstore.ErrExists
		}
		if err != nil {
			return err
		}
		matched = res.MatchedCount
	}
	if matched == 0 {
		return docstore.ErrStale
	}
	return nil
}
