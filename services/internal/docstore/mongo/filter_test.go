package mongo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

func extJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := bson.MarshalExtJSON(v, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFilters pins what is asked of the server: values stay values, whatever they look like.
func TestFilters(t *testing.T) {
	t.Parallel()
	table, err := schema.NewTable(docstore.Collection{Name: "c", Text: []string{"t"}, TextFilter: []string{"s"}, Indexes: []docstore.Index{
		{Name: "i", Prefix: []string{"a", "b"}, Sort: "at"}, {Name: "all"}, {Name: "u", Prefix: []string{"a", "b"}, Unique: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	q := docstore.Query{Index: "i", Prefix: []any{"$ne", true}, From: 5, To: 9, Desc: true, Limit: 3}
	p, err := table.Plan(q)
	if err != nil {
		t.Fatal(err)
	}
	p.After = &schema.Position{Key: int64(7), ID: "x"}
	filter, order := page(p)
	all, err := table.Plan(docstore.Query{Index: "all", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	unique, err := table.Plan(docstore.Query{Index: "u", Prefix: []any{"x", 1}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	search, err := table.PlanSearch(docstore.SearchQuery{Words: `$where .* "Zoë`, Filter: map[string]any{"s": "{$gt:1}"}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	allFilter, allOrder := page(all)
	uniqueFilter, _ := page(unique)
	got := []string{extJSON(t, filter), extJSON(t, order), extJSON(t, allFilter), extJSON(t, allOrder), extJSON(t, uniqueFilter), extJSON(t, matching(search))}
	want := []string{
		`{"$and":[{"f_a":"$ne"},{"f_b":1},{"f_at":{"$exists":true}},{"f_at":{"$gte":5}},{"f_at":{"$lt":9}},{"f_at":{"$lte":7}},{"$or":[{"f_at":{"$lt":7}},{"_id":{"$lt":"x"}}]}]}`,
		`{"f_at":-1,"_id":-1}`,
		`{"$and":[{"j":{"$exists":true}}]}`,
		`{"_id":1}`,
		`{"$and":[{"u_u":"[\"x\",1]"}]}`,
		`{"$and":[{"w":"where"},{"w":{"$regularExpression":{"pattern":"^zoe","options":""}}},{"f_s":"{$gt:1}"}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("filters (-want +got):\n%s", diff)
	}
}
