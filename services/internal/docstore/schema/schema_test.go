package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

func newTable(t testing.TB) *schema.Table {
	t.Helper()
	table, err := schema.NewTable(docstore.Collection{
		Name:    "c",
		Indexes: []docstore.Index{{Name: "i", Prefix: []string{"a"}, Sort: "b"}, {Name: "all"}},
		Text:    []string{"t"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// FuzzExtract compares the scanner with encoding/json.
func FuzzExtract(f *testing.F) {
	table := newTable(f)
	for _, s := range []string{`{}`, `{"a":1,"b":"x","t":"words"}`, `{"a":{"b":[{}," \"}"]}}`, `{"\u0061":"\u00e9","a":true}`, `{"a":-0,"b":null}`, ` {"x" : [ 1 , { } ] , "b" : 2 } `, `[]`, `{"a":1e3}`, `{"A":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := table.Extract(b)
		var all map[string]json.RawMessage
		if json.Unmarshal(b, &all) != nil || all == nil || !utf8.Valid(b) {
			if err == nil {
				t.Fatalf("accepted %q", b)
			}
			return
		}
		if err != nil {
			return // a field of another type; an earlier one of two alike counts too
		}
		for i, name := range []string{"a", "b"} {
			if want := value(all[name]); want != row.Values[i] {
				t.Fatalf("%q: field %s = %v, want %v", b, name, row.Values[i], want)
			}
		}
	})
}

func value(raw json.RawMessage) any {
	var v any
	if raw == nil || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		var n int64
		if json.Unmarshal(raw, &n) != nil {
			return "no integer"
		}
		return n
	}
	return v
}

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	rapid.Check(t, func(rt *rapid.T) {
		q := docstore.Query{Index: "i", Prefix: []any{rapid.String().Draw(rt, "prefix")}, Limit: 1, Desc: rapid.Bool().Draw(rt, "desc")}
		p, err := table.Plan(q)
		if err != nil {
			rt.Fatal(err)
		}
		want := schema.Position{ID: rapid.String().Draw(rt, "id")}
		if rapid.Bool().Draw(rt, "number") {
			want.Key = rapid.Int64().Draw(rt, "key")
		} else {
			want.Key = rapid.String().Draw(rt, "key")
		}
		q.After = p.Scope.Token(want)
		next, err := table.Plan(q)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(&want, next.After); diff != "" {
			rt.Fatal(diff)
		}
		i := rapid.IntRange(0, len(q.After)-1).Draw(rt, "at")
		q.After = q.After[:i] + rapid.StringMatching(`[A-Za-z0-9_-]`).Draw(rt, "other") + q.After[i+1:]
		if _, err := table.Plan(q); err != nil && !errors.Is(err, docstore.ErrBadToken) {
			rt.Fatal(err)
		} else if err == nil && q.After != p.Scope.Token(want) {
			rt.Fatal("a changed token was accepted")
		}
	})
}

func FuzzToken(f *testing.F) {
	table := newTable(f)
	q := docstore.Query{Index: "i", Prefix: []any{"x"}, Limit: 1}
	p, err := table.Plan(q)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Scope.Token(schema.Position{Key: int64(math.MinInt64), ID: "a"}))
	f.Add(p.Scope.Token(schema.Position{Key: "k", ID: ""}))
	f.Fuzz(func(t *testing.T, token string) {
		q.After = token
		if _, err := table.Plan(q); err != nil && !errors.Is(err, docstore.ErrBadToken) {
			t.Fatal(err)
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                        nil,
		" -- ":                    nil,
		"Hello, World_42!":        {"hello", "world", "42"},
		"Crème BRÛLÉE":            {"creme", "brulee"},
		"e\u0301te\u0301":         {"ete"},
		"ﬁne ①":                   {"fine", "1"},
		"Ελλάδα ЁЖ":               {"ελλαδα", "еж"},
		"会議room":                  {"会", "議", "room"},
		"don't":                   {"don", "t"},
		"\xff\xfe":                nil,
		strings.Repeat("x", 1000): {strings.Repeat("x", 64)},
	} {
		if diff := cmp.Diff(want, schema.Words(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		once := strings.Join(schema.Words(s), " ")
		if again := strings.Join(schema.Words(once), " "); again != once {
			rt.Fatalf("%q: %q, then %q", s, once, again)
		}
	})
}

func BenchmarkExtract1K(b *testing.B) {
	table := newTable(b)
	doc := []byte(`{"a":"tenant","b":1700000000000,"body":"` + strings.Repeat("lorem ipsum dolor ", 55) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Extract(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWords1K(b *testing.B) {
	text := strings.Repeat("Crème brûlée für 会議 ", 40)
	b.ReportAllocs()
	for b.Loop() {
		schema.Words(text)
	}
}
