package mongo

import (
	"encoding/json"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Fields of a stored document besides _id. A deleted document has only seq.
const (
	fieldSeq   = "seq"
	fieldJSON  = "j"
	fieldWords = "w" // distinct words, for Search
)

// maxWords bounds the entries of one document in the word index.
const maxWords = 2_000

func fieldOf(name string) string  { return "f_" + name }
func uniqueOf(name string) string { return "u_" + name }

// stored is how a document comes back.
type stored struct {
	ID   string `bson:"_id"`
	Seq  int64  `bson:"seq"`
	JSON string `bson:"j"`
}

func (d stored) doc() docstore.Doc {
	return docstore.Doc{ID: d.ID, Seq: uint64(d.Seq), JSON: []byte(d.JSON)}
}

// document is the whole of what is stored for a document.
func document(t *schema.Table, d docstore.Doc, row schema.Row) bson.D {
	out := bson.D{{Key: "_id", Value: d.ID}, {Key: fieldSeq, Value: int64(d.Seq)}, {Key: fieldJSON, Value: string(d.JSON)}}
	byName := map[string]any{}
	for i, v := range row.Values {
		if v != nil { // not null: an index leaves out what is not there
			byName[t.Fields[i]] = v
			out = append(out, bson.E{Key: fieldOf(t.Fields[i]), Value: v})
		}
	}
	for _, ix := range t.Indexes {
		if !ix.Unique {
			continue
		}
		var values []any
		for _, f := range ix.Prefix {
			if v, ok := byName[f]; ok {
				values = append(values, v)
			}
		}
		if len(values) == len(ix.Prefix) {
			out = append(out, bson.E{Key: uniqueOf(ix.Name), Value: tuple(values)})
		}
	}
	if words := distinct(row.Text); len(words) > 0 {
		out = append(out, bson.E{Key: fieldWords, Value: words})
	}
	return out
}

// tombstone is what a guarded delete leaves.
func tombstone(d docstore.Doc) bson.D {
	return bson.D{{Key: "_id", Value: d.ID}, {Key: fieldSeq, Value: int64(d.Seq)}}
}

// tuple makes one value of several: a unique index over one field can be
// sparse in the way the contract wants, one over several cannot.
func tuple(values []any) string {
	b, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("tuple of strings and integers: %v", err))
	}
	return string(b)
}

func distinct(texts []string) bson.A {
	var out bson.A
	seen := map[string]bool{}
	for _, text := range texts {
		for _, w := range schema.Words(text) {
			if !seen[w] && len(out) < maxWords {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}
