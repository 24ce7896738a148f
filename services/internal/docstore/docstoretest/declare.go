package docstoretest

import (
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
)

func testDeclare(t *testing.T, s docstore.Store, _ Features) {
	type (
		c  = docstore.Collection
		ix = docstore.Index
	)
	for name, bad := range map[string]c{
		"no name":       {},
		"name":          {Name: "Notes"},
		"injection":     {Name: `a"; DROP TABLE c_notes; --`},
		"index name":    {Name: "x", Indexes: []ix{{Name: "a b"}}},
		"field":         {Name: "x", Indexes: []ix{{Name: "a", Prefix: []string{"a.b"}}}},
		"field twice":   {Name: "x", Indexes: []ix{{Name: "a", Prefix: []string{"a"}, Sort: "a"}}},
		"index twice":   {Name: "x", Indexes: []ix{{Name: "a"}, {Name: "a"}}},
		"unique sort":   {Name: "x", Indexes: []ix{{Name: "a", Prefix: []string{"a"}, Sort: "b", Unique: true}}},
		"unique bare":   {Name: "x", Indexes: []ix{{Name: "a", Unique: true}}},
		"text":          {Name: "x", Text: []string{"$text"}},
		"filter":        {Name: "x", TextFilter: []string{""}},
		"too long name": {Name: "x0123456789012345678901234567890123456789012345678"},
	} {
		if err := s.Declare(t.Context(), bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for range 2 {
		if err := s.Declare(t.Context(), Notes(), plain); err != nil {
			t.Fatal(err)
		}
	}
	// Two names that would be one if they were joined carelessly.
	err := s.Declare(t.Context(), c{Name: "a", Indexes: []ix{{Name: "b_c", Prefix: []string{"x"}}}}, c{Name: "a_b", Indexes: []ix{{Name: "c", Prefix: []string{"y"}}}})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, put("a", "1", 1, `{"x":"v"}`), put("a_b", "2", 1, `{"y":"v"}`))
	wantList(t, s, "a", docstore.Query{Index: "b_c", Prefix: []any{"v"}}, "1")
	wantList(t, s, "a_b", docstore.Query{Index: "c", Prefix: []any{"v"}}, "2")
}

// testRedeclare: a newer program declares more, less and other indexes over documents that are there.
func testRedeclare(t *testing.T, s docstore.Store, _ Features) {
	for i, id := range []string{"a", "b", "c"} {
		apply(t, s, put("notes", id, uint64(i+1), `{"tenant":"t","status":"open","at":%d,"title":"old %s","priority":%d,"extra":"tail"}`, i, id, 9-i))
	}
	apply(t, s, del("notes", "c", 9))
	changed := docstore.Collection{
		Name: "notes",
		Indexes: []docstore.Index{
			{Name: "by_status", Prefix: []string{"status"}, Sort: "priority"}, // other fields, same name
			{Name: "by_tenant", Prefix: []string{"tenant"}, Sort: "at"},
		},
		Text:       []string{"title", "extra"},
		TextFilter: []string{"tenant"},
	}
	if err := s.Declare(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"open"}}, "b", "a")
	wantList(t, s, "notes", docstore.Query{Index: "by_tenant", Prefix: []any{"t"}}, "a", "b")
	wantSearch(t, s, "tail", nil, "a", "b")
	wantSearch(t, s, "old b", map[string]any{"tenant": "t"}, "b")
	_, err := s.List(t.Context(), "notes", docstore.Query{Index: "by_at", Limit: 1})
	wantSomeErr(t, err)
	apply(t, s, put("notes", "a", 1, `{}`), put("notes", "c", 5, `{}`)) // guards are as before
	wantSearch(t, s, "old", nil, "a", "b")
	if err := s.Declare(t.Context(), docstore.Collection{Name: "notes"}); err != nil { // nothing at all
		t.Fatal(err)
	}
	if err := s.Declare(t.Context(), Notes()); err != nil {
		t.Fatal(err)
	}
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}}, "a", "b")
	wantSearch(t, s, "tail", nil)
	wantSearch(t, s, "old a", nil, "a")
}
