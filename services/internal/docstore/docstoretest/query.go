package docstoretest

import (
	"fmt"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
)

func note(id, tenant, status string, at int, title string) docstore.Op {
	return put("notes", id, 1, `{"tenant":%q,"status":%q,"at":%d,"title":%q}`, tenant, status, at, title)
}

func testList(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, note("e", "t", "open", 3, "E"), note("a", "t", "open", 1, "A"), note("d", "t", "open", 2, "D"), note("c", "t", "open", 2, "C"),
		note("b", "t", "open", 2, "B"), note("x", "t", "closed", 2, "X"), note("y", "u", "open", 2, "Y"), note("n", "t", "open", -7, "N"))
	q := docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}}
	wantList(t, s, "notes", q, "n", "a", "b", "c", "d", "e")
	q.Desc = true
	wantList(t, s, "notes", q, "e", "d", "c", "b", "a", "n")
	q.From, q.To = 2, 3
	wantList(t, s, "notes", q, "d", "c", "b")
	q.Desc = false
	wantList(t, s, "notes", q, "b", "c", "d")
	q.To = nil
	wantList(t, s, "notes", q, "b", "c", "d", "e")
	q.From, q.To = nil, int64(2)
	wantList(t, s, "notes", q, "n", "a")
	wantList(t, s, "notes", docstore.Query{Index: "by_at"}, "n", "a", "b", "c", "d", "x", "y", "e")
	wantList(t, s, "notes", docstore.Query{Index: "by_title", Prefix: []any{"t"}, From: "B", To: "D"}, "b", "c")
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"nobody", "open"}})
	// A change moves a document in every index.
	apply(t, s, put("notes", "a", 2, `{"tenant":"t","status":"closed","at":9,"title":"A"}`))
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "closed"}}, "x", "a")
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}, To: 3}, "n", "b", "c", "d")
	page, err := s.List(t.Context(), "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "closed"}, Desc: true, Limit: 1})
	if err != nil || len(page) != 1 || page[0].Seq != 2 || string(page[0].JSON) != `{"tenant":"t","status":"closed","at":9,"title":"A"}` || page[0].Token == "" {
		t.Fatalf("page = %+v, %v", page, err)
	}
}

func testListByID(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, note("b", "t", "open", 1, ""), note("B", "t", "open", 1, ""), note("é", "t", "open", 1, ""), note("a", "t", "open", 1, ""), note("z", "u", "open", 1, ""))
	q := docstore.Query{Index: "by_tenant", Prefix: []any{"t"}}
	wantList(t, s, "notes", q, "B", "a", "b", "é") // by bytes
	q.Desc = true
	wantList(t, s, "notes", q, "é", "b", "a", "B")
	q.From, q.To = "a", "c"
	wantList(t, s, "notes", q, "b", "a")
	apply(t, s, put("plain", "2", 1, `{}`), put("plain", "1", 1, `{}`), put("plain", "3", 1, `{}`), del("plain", "2", 2))
	wantList(t, s, "plain", docstore.Query{Index: "all"}, "1", "3")
	wantList(t, s, "plain", docstore.Query{Index: "all", Desc: true}, "3", "1")
}

func testListMissing(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("notes", "a", 1, `{"tenant":"t","status":"open"}`), put("notes", "b", 1, `{"tenant":"t","at":1}`), put("notes", "c", 1, `{"status":"open","at":null}`),
		put("notes", "d", 1, `{"tenant":"","status":"open","at":0}`))
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}})
	wantList(t, s, "notes", docstore.Query{Index: "by_tenant", Prefix: []any{"t"}}, "a", "b")
	wantList(t, s, "notes", docstore.Query{Index: "by_at"}, "d", "b")
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"", "open"}}, "d")
	apply(t, s, put("notes", "b", 2, `{"tenant":"t"}`)) // a field that goes away leaves its index
	wantList(t, s, "notes", docstore.Query{Index: "by_at"}, "d")
}

// testPaging inserts and deletes around a page boundary: what stayed is seen once.
func testPaging(t *testing.T, s docstore.Store, _ Features) {
	for _, desc := range []bool{false, true} {
		var ops []docstore.Op
		for i := range 30 {
			ops = append(ops, note(fmt.Sprintf("s%02d", i), "t", "open", 100+i/3*10, ""))
		}
		apply(t, s, ops...)
		q := docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}, Limit: 4, Desc: desc}
		seen := map[string]int{}
		for n := 0; ; n++ {
			page, err := s.List(t.Context(), "notes", q)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range page {
				seen[it.ID]++
			}
			if len(page) < q.Limit {
				break
			}
			last := page[len(page)-1]
			q.After = last.Token
			apply(t, s, note(fmt.Sprintf("x%02d", n), "t", "open", 100, ""), note(fmt.Sprintf("y%02d", n), "t", "open", 190, ""),
				del("notes", last.ID, 2)) // the token outlives its document
		}
		for i := range 30 {
			if id := fmt.Sprintf("s%02d", i); seen[id] != 1 {
				t.Fatalf("desc %v: %s seen %d times", desc, id, seen[id])
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Fatalf("desc %v: %s seen %d times", desc, id, n)
			}
		}
		var again []docstore.Op
		for i := range 30 {
			again = append(again, del("notes", fmt.Sprintf("s%02d", i), 0), del("notes", fmt.Sprintf("x%02d", i), 0), del("notes", fmt.Sprintf("y%02d", i), 0))
		}
		apply(t, s, again[:45]...)
		apply(t, s, again[45:]...)
	}
}

func testTokens(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, note("a", "t", "open", 1, "x"), note("b", "t", "open", 2, "x"), note("c", "t", "open", 3, "x"))
	q := docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}, Limit: 1}
	page, err := s.List(t.Context(), "notes", q)
	if err != nil {
		t.Fatal(err)
	}
	token := page[0].Token
	others := []docstore.Query{
		{Index: "by_status", Prefix: []any{"t", "closed"}, Limit: 1},
		{Index: "by_status", Prefix: []any{"u", "open"}, Limit: 1},
		{Index: "by_status", Prefix: []any{"t", "open"}, Limit: 1, Desc: true},
		{Index: "by_tenant", Prefix: []any{"t"}, Limit: 1},
		{Index: "by_at", Limit: 1},
	}
	for _, o := range others {
		o.After = token
		_, err := s.List(t.Context(), "notes", o)
		wantErr(t, err, docstore.ErrBadToken)
	}
	_, err = s.Search(t.Context(), "notes", docstore.SearchQuery{Words: "x", Limit: 1, After: token})
	wantErr(t, err, docstore.ErrBadToken)
	hits, err := s.Search(t.Context(), "notes", docstore.SearchQuery{Words: "x", Limit: 1})
	if err != nil || len(hits) != 1 {
		t.Fatalf("search = %v, %v", hits, err)
	}
	for _, o := range []docstore.SearchQuery{{Words: "y", Limit: 1}, {Words: "x", Limit: 1, Filter: map[string]any{"tenant": "t"}}} {
		o.After = hits[0].Token
		_, err := s.Search(t.Context(), "notes", o)
		wantErr(t, err, docstore.ErrBadToken)
	}
	forged := []byte(token)
	forged[len(forged)/2] ^= 1
	for _, bad := range []string{"x", "!!!!", token + "A", token[:len(token)-4], string(forged)} {
		q.After = bad
		_, err := s.List(t.Context(), "notes", q)
		wantErr(t, err, docstore.ErrBadToken)
	}
	q.After, q.Limit, q.To = token, 9, 3 // these may change
	rest, err := s.List(t.Context(), "notes", q)
	if err != nil || len(rest) != 1 || rest[0].ID != "b" {
		t.Fatalf("rest = %v, %v", rest, err)
	}
}

func testBadQueries(t *testing.T, s docstore.Store, _ Features) {
	for name, q := range map[string]docstore.Query{
		"no index":      {Index: "nope", Limit: 1},
		"short prefix":  {Index: "by_status", Prefix: []any{"t"}, Limit: 1},
		"long prefix":   {Index: "by_at", Prefix: []any{"t"}, Limit: 1},
		"no limit":      {Index: "by_at"},
		"limit":         {Index: "by_at", Limit: docstore.MaxPage + 1},
		"prefix type":   {Index: "by_tenant", Prefix: []any{map[string]any{"$gt": ""}}, Limit: 1},
		"nil in prefix": {Index: "by_tenant", Prefix: []any{nil}, Limit: 1},
		"bound type":    {Index: "by_at", From: 1.5, Limit: 1},
		"id bound":      {Index: "by_tenant", Prefix: []any{"t"}, From: 1, Limit: 1},
	} {
		if _, err := s.List(t.Context(), "notes", q); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, err := s.List(t.Context(), "undeclared", docstore.Query{Index: "x", Limit: 1})
	wantSomeErr(t, err)
	_, err = s.Count(t.Context(), "notes", "by_status", []any{"t"}, 0)
	wantSomeErr(t, err)
	_, err = s.Search(t.Context(), "plain", docstore.SearchQuery{Words: "x", Limit: 1})
	wantSomeErr(t, err)
	_, err = s.Search(t.Context(), "notes", docstore.SearchQuery{Words: "x"})
	wantSomeErr(t, err)
	_, err = s.Search(t.Context(), "notes", docstore.SearchQuery{Words: "x", Limit: 1, Filter: map[string]any{"at": 1}})
	wantSomeErr(t, err)
	_, err = s.Search(t.Context(), "notes", docstore.SearchQuery{Words: "x", Limit: 1, Filter: map[string]any{"tenant": []string{"t"}}})
	wantSomeErr(t, err)
}

func testCount(t *testing.T, s docstore.Store, _ Features) {
	for i := range 10 {
		apply(t, s, note(fmt.Sprint("a", i), "t", "open", i, ""))
	}
	apply(t, s, note("x", "u", "open", 1, ""), put("notes", "y", 1, `{"tenant":"t","status":"open"}`), del("notes", "a0", 5))
	for _, c := range []struct {
		index  string
		prefix []any
		limit  int
		want   int64
	}{
		{"by_status", []any{"t", "open"}, 0, 9},
		{"by_status", []any{"t", "open"}, 4, 4},
		{"by_status", []any{"t", "open"}, 9, 9},
		{"by_status", []any{"t", "none"}, 0, 0},
		{"by_tenant", []any{"t"}, 0, 10},
		{"by_at", nil, 0, 10},
	} {
		n, err := s.Count(t.Context(), "notes", c.index, c.prefix, c.limit)
		if err != nil || n != c.want {
			t.Errorf("count %s %v limit %d = %d, %v, want %d", c.index, c.prefix, c.limit, n, err, c.want)
		}
	}
}

func testUnicode(t *testing.T, s docstore.Store, _ Features) {
	ids := []string{"Ω", "é", "e\u0301", "日本", "😀", "a'b\"c;--", "$where", "a.b", "x/y z"}
	for i, id := range ids {
		apply(t, s, put("notes", id, 1, `{"tenant":%q,"at":%d,"title":"\ud83d\ude00 \u0000x"}`, id, i))
	}
	for _, id := range ids {
		wantList(t, s, "notes", docstore.Query{Index: "by_tenant", Prefix: []any{id}}, id)
	}
	wantList(t, s, "notes", docstore.Query{Index: "by_at"}, ids...)
}
