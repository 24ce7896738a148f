package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
)

// maxBulk is the number of writes in one command.
const maxBulk = 40

// bulk does unconditional steps of one collection, in order.
//
// A guarded put is an upsert on {_id, seq < ours}. When the stored document is
// as new or newer nothing matches, the server tries to insert and answers
// with a duplicate _id: applied already. It answers the same when somebody
// else inserted at this very moment, so the stored sequence decides. When an
// answer brings nothing further, as from a server that blames its first write
// whatever failed (FerretDB v1), the next write goes alone.
func (s *Store) bulk(ctx context.Context, coll *mongo.Collection, steps []step) error {
	const tries = 20
	for stuck := 0; len(steps) > 0; {
		size := maxBulk
		if stuck > 0 {
			size = 1
		}
		chunk := steps[:min(len(steps), size)]
		models := make([]mongo.WriteModel, len(chunk))
		for i, st := range chunk {
			models[i] = st.model()
		}
		_, err := coll.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(true))
		if err == nil {
			steps, stuck = steps[len(chunk):], 0
			continue
		}
		at, ok := duplicateID(err)
		if !ok || stuck == tries {
			if mongo.IsDuplicateKeyError(err) {
				return docstore.ErrExists // of a unique index
			}
			return err
		}
		rest, err := s.pending(ctx, coll, chunk[at:])
		if err != nil {
			return err
		}
		if stuck++; len(rest) < len(chunk) {
			stuck = 0
		}
		steps = append(rest, steps[len(chunk):]...)
	}
	return nil
}

// model is a step as a write that changes nothing when it is repeated.
func (st step) model() mongo.WriteModel {
	filter := bson.D{{Key: "_id", Value: st.Doc.ID}}
	if st.doc == nil {
		return mongo.NewDeleteOneModel().SetFilter(filter)
	}
	if st.Doc.Seq > 0 {
		filter = append(filter, bson.E{Key: fieldSeq, Value: bson.D{{Key: "$lt", Value: int64(st.Doc.Seq)}}})
	}
	return mongo.NewReplaceOneModel().SetFilter(filter).SetReplacement(st.doc).SetUpsert(true)
}

// duplicateID says at which write of a bulk a document's _id was there.
func duplicateID(err error) (at int, ok bool) {
	var e mongo.BulkWriteException
	if !errors.As(err, &e) || e.WriteConcernError != nil || len(e.WriteErrors) == 0 {
		return 0, false
	}
	we := e.WriteErrors[0]
	if !we.HasErrorCode(11000) {
		return 0, false
	}
	if pattern, ok := we.Raw.Lookup("keyPattern").DocumentOK(); ok {
		_, err := pattern.LookupErr("_id")
		return we.Index, err == nil
	}
	return we.Index, !strings.Contains(we.Message, "index: i_") // ours are named so
}

// pending is what of steps the stored documents do not have yet. A replay
// meets one applied step after the other: this asks for all of them at once.
func (s *Store) pending(ctx context.Context, coll *mongo.Collection, steps []step) ([]step, error) {
	ids, unguarded := bson.A{}, map[string]bool{}
	for _, st := range steps {
		ids = append(ids, st.Doc.ID)
		if st.Doc.Seq == 0 {
			unguarded[st.Doc.ID] = true // it may lower the sequence for those after it
		}
	}
	cur, err := coll.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
		options.Find().SetProjection(bson.D{{Key: fieldSeq, Value: 1}}))
	if err != nil {
		return nil, err
	}
	var docs []stored
	if err := cur.All(ctx, &docs); err != nil {
		return nil, err
	}
	seqs := map[string]int64{}
	for _, d := range docs {
		seqs[d.ID] = d.Seq
	}
	first := true
	return slices.DeleteFunc(slices.Clone(steps), func(st step) bool {
		applied := st.Doc.Seq > 0 && seqs[st.Doc.ID] >= int64(st.Doc.Seq) && (first || !unguarded[st.Doc.ID])
		first = false
		return applied
	}), nil
}
