package docstoretest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/docstore"
)

type modelDoc struct {
	Tenant string `json:"tenant,omitempty"`
	Status string `json:"status,omitempty"`
	At     int64  `json:"at"`
}

type modelRow struct {
	seq  uint64
	doc  modelDoc
	gone bool
}

// testModel compares random histories with a map.
func testModel(t *testing.T, s docstore.Store) {
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		ctx := context.Background()
		c := Notes()
		c.Name = fmt.Sprintf("model%d", round)
		c.Text = nil
		if err := s.Declare(ctx, c); err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := s.Drop(ctx, c.Name); err != nil {
				rt.Fatal(err)
			}
		}()
		model := map[string]modelRow{}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			b := drawBatch(rt, c.Name, model)
			if err := s.Apply(ctx, b); err != nil {
				rt.Fatal(err)
			}
			compare(rt, s, c.Name, model)
		}
	})
}

func drawBatch(rt *rapid.T, collection string, model map[string]modelRow) docstore.Batch {
	var b docstore.Batch
	for range rapid.IntRange(1, 6).Draw(rt, "ops") {
		op := docstore.Op{Collection: collection, Doc: docstore.Doc{
			ID:  rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(rt, "id"),
			Seq: uint64(rapid.IntRange(0, 20).Draw(rt, "seq")),
		}}
		old, known := model[op.Doc.ID]
		doc := modelDoc{
			Tenant: rapid.SampledFrom([]string{"", "t", "u"}).Draw(rt, "tenant"),
			Status: rapid.SampledFrom([]string{"open", "closed"}).Draw(rt, "status"),
			At:     int64(rapid.IntRange(-3, 3).Draw(rt, "at")),
		}
		op.Delete = rapid.IntRange(0, 3).Draw(rt, "delete") == 0
		if known && !old.gone && old.seq > 0 && rapid.Bool().Draw(rt, "revision") {
			op.IfRev, op.Doc.Seq = old.seq, old.seq+1
		}
		if !op.Delete {
			op.Doc.JSON, _ = json.Marshal(doc)
		}
		b.Ops = append(b.Ops, op)
		switch {
		case op.Delete && op.Doc.Seq == 0:
			delete(model, op.Doc.ID)
		case op.Doc.Seq == 0 || !known || op.Doc.Seq > old.seq:
			model[op.Doc.ID] = modelRow{seq: op.Doc.Seq, doc: doc, gone: op.Delete}
		}
	}
	return b
}

func compare(rt *rapid.T, s docstore.Store, collection string, model map[string]modelRow) {
	for _, tenant := range []string{"t", "u"} {
		for _, status := range []string{"open", "closed"} {
			var want []string
			for id, r := range model {
				if !r.gone && r.doc.Tenant == tenant && r.doc.Status == status {
					want = append(want, id)
				}
			}
			slices.SortFunc(want, func(a, b string) int {
				return cmp.Or(cmp.Compare(model[a].doc.At, model[b].doc.At), cmp.Compare(a, b))
			})
			q := docstore.Query{Index: "by_status", Prefix: []any{tenant, status}, Limit: 2, Desc: rapid.Bool().Draw(rt, "desc")}
			if q.Desc {
				slices.Reverse(want)
			}
			var got []string
			for {
				page, err := s.List(context.Background(), collection, q)
				if err != nil {
					rt.Fatal(err)
				}
				for _, it := range page {
					got = append(got, it.ID)
					if it.Seq != model[it.ID].seq {
						rt.Fatalf("%s: seq %d, want %d", it.ID, it.Seq, model[it.ID].seq)
					}
				}
				if len(page) < q.Limit {
					break
				}
				q.After = page[len(page)-1].Token
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("%s/%s desc %v: %v, want %v", tenant, status, q.Desc, got, want)
			}
		}
	}
}
