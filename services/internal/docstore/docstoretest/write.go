package docstoretest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/internal/docstore"
)

func testGet(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("plain", "b", 0, `{"v":2}`), put("plain", "a", 7, `{"v": 1}`), del("plain", "gone", 3))
	wantDoc(t, s, "plain", "a", 7, `{"v": 1}`)
	wantDoc(t, s, "plain", "b", 0, `{"v":2}`)
	wantDoc(t, s, "plain", "none", 0, "")
	wantDoc(t, s, "plain", "gone", 0, "")
	got, err := s.GetMany(t.Context(), "plain", "b", "none", "a", "gone", "b")
	if err != nil {
		t.Fatal(err)
	}
	b := docstore.Doc{ID: "b", JSON: []byte(`{"v":2}`)}
	want := []docstore.Doc{b, {ID: "none"}, {ID: "a", Seq: 7, JSON: []byte(`{"v": 1}`)}, {ID: "gone"}, b}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("get many (-want +got):\n%s", diff)
	}
	none, err := s.GetMany(t.Context(), "plain")
	if err != nil || len(none) != 0 {
		t.Fatalf("get none = %v, %v", none, err)
	}
}

func testDocuments(t *testing.T, s docstore.Store, _ Features) {
	bad := map[string]docstore.Op{
		"undeclared":   put("nowhere", "a", 1, `{}`),
		"no json":      put("notes", "a", 1, ``),
		"broken json":  put("notes", "a", 1, `{"a":`),
		"two values":   put("notes", "a", 1, `{} {}`),
		"array":        put("notes", "a", 1, `[]`),
		"not utf-8":    put("notes", "a", 1, "{\"a\":\"\xff\"}"),
		"float":        put("notes", "a", 1, `{"at":1.5}`),
		"big integer":  put("notes", "a", 1, `{"at":9223372036854775808}`),
		"object field": put("notes", "a", 1, `{"status":{}}`),
		"array field":  put("notes", "a", 1, `{"status":["x"]}`),
		"text number":  put("notes", "a", 1, `{"body":5}`),
		"no id":        put("notes", "", 1, `{}`),
		"long id":      put("notes", strings.Repeat("x", docstore.MaxID+1), 1, `{}`),
		"nul id":       put("notes", "a\x00", 1, `{}`),
		"id not utf-8": put("notes", "\xff", 1, `{}`),
		"seq":          put("notes", "a", 1<<63, `{}`),
		"create and delete": {
			Collection: "notes", Doc: docstore.Doc{ID: "a"},
			Create: true, Delete: true,
		},
		"seq behind revision": {Collection: "notes", Doc: docstore.Doc{ID: "a", Seq: 4, JSON: []byte(`{}`)}, IfRev: 4},
	}
	for name, op := range bad {
		if err := s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{op}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	long := strings.Repeat("i", docstore.MaxID)
	doc := ` {"at" : -5 , "status" : "o\u0070en","status":"la\"st,}", "tenant":true,"x":[{"at":9},"]"],"body":null,"title":"} , {"} `
	apply(t, s, put("notes", long, 1, doc), put("notes", "empty", 1, `{}`))
	wantDoc(t, s, "notes", long, 1, doc)
	wantDoc(t, s, "notes", "empty", 1, `{}`)
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{true, `la"st,}`}, From: -5, To: int64(-4)}, long)
	wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{true, "open"}})
}

func testGuard(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("plain", "a", 5, `{"v":5}`))
	apply(t, s, put("plain", "a", 4, `{"v":4}`))
	apply(t, s, put("plain", "a", 5, `{"v":"again"}`))
	wantDoc(t, s, "plain", "a", 5, `{"v":5}`)
	apply(t, s, put("plain", "a", 6, `{"v":6}`))
	wantDoc(t, s, "plain", "a", 6, `{"v":6}`)
	apply(t, s, put("plain", "a", 0, `{"v":"any"}`))
	wantDoc(t, s, "plain", "a", 0, `{"v":"any"}`)
	apply(t, s, put("plain", "a", 1, `{"v":1}`))
	wantDoc(t, s, "plain", "a", 1, `{"v":1}`)
	apply(t, s, put("plain", "max", 1<<63-1, `{"v":1}`))
	wantDoc(t, s, "plain", "max", 1<<63-1, `{"v":1}`)
}

func testDelete(t *testing.T, s docstore.Store, _ Features) {
	notes := func(seq uint64) docstore.Op {
		return put("notes", "a", seq, `{"tenant":"t","status":"open","at":1,"title":"hello"}`)
	}
	hidden := func() {
		t.Helper()
		wantDoc(t, s, "notes", "a", 0, "")
		wantList(t, s, "notes", docstore.Query{Index: "by_status", Prefix: []any{"t", "open"}})
		wantList(t, s, "notes", docstore.Query{Index: "by_at"})
		wantSearch(t, s, "hello", nil)
	}
	apply(t, s, notes(5), del("notes", "a", 4))
	wantDoc(t, s, "notes", "a", 5, string(notes(5).Doc.JSON))
	apply(t, s, del("notes", "a", 6))
	hidden()
	apply(t, s, notes(5), notes(6)) // replayed
	hidden()
	apply(t, s, notes(7))
	wantDoc(t, s, "notes", "a", 7, string(notes(7).Doc.JSON))
	wantSearch(t, s, "hello", nil, "a")
	apply(t, s, del("notes", "a", 0))
	hidden()
	apply(t, s, notes(1)) // an unguarded delete leaves no guard
	wantSearch(t, s, "hello", nil, "a")
	apply(t, s, del("plain", "early", 9), put("plain", "early", 8, `{}`), del("plain", "nothing", 0))
	wantDoc(t, s, "plain", "early", 0, "")
	wantList(t, s, "plain", docstore.Query{Index: "all"})
}

func testCreate(t *testing.T, s docstore.Store, _ Features) {
	create := func(seq uint64, json string) error {
		op := put("plain", "a", seq, json)
		op.Create = true
		return s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{op}})
	}
	if err := create(3, `{"v":1}`); err != nil {
		t.Fatal(err)
	}
	wantErr(t, create(9, `{"v":2}`), docstore.ErrExists)
	wantDoc(t, s, "plain", "a", 3, `{"v":1}`)
	apply(t, s, del("plain", "a", 10))
	if err := create(1, `{"v":3}`); err != nil {
		t.Fatal(err)
	}
	wantDoc(t, s, "plain", "a", 1, `{"v":3}`)
}

func testRevision(t *testing.T, s docstore.Store, _ Features) {
	change := func(op docstore.Op, rev uint64) error {
		op.IfRev = rev
		return s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{op}})
	}
	wantErr(t, change(put("plain", "a", 2, `{}`), 1), docstore.ErrStale)
	wantErr(t, change(del("plain", "a", 2), 1), docstore.ErrStale)
	apply(t, s, put("plain", "a", 4, `{"v":4}`))
	wantErr(t, change(put("plain", "a", 6, `{}`), 5), docstore.ErrStale)
	wantErr(t, change(put("plain", "a", 6, `{}`), 3), docstore.ErrStale)
	if err := change(put("plain", "a", 8, `{"v":8}`), 4); err != nil {
		t.Fatal(err)
	}
	if err := change(put("plain", "a", 0, `{"v":9}`), 8); err != nil {
		t.Fatal(err)
	}
	wantDoc(t, s, "plain", "a", 9, `{"v":9}`)
	wantErr(t, change(del("plain", "a", 12), 8), docstore.ErrStale)
	if err := change(del("plain", "a", 12), 9); err != nil {
		t.Fatal(err)
	}
	wantErr(t, change(put("plain", "a", 13, `{}`), 12), docstore.ErrStale) // deleted
	apply(t, s, put("plain", "a", 11, `{}`))                               // older than the delete
	wantDoc(t, s, "plain", "a", 0, "")
	apply(t, s, put("plain", "b", 1, `{}`))
	if err := change(del("plain", "b", 0), 1); err != nil {
		t.Fatal(err)
	}
	apply(t, s, put("plain", "b", 1, `{}`))
	wantDoc(t, s, "plain", "b", 1, `{}`)
}

// testReplay applies a history in many orders, with repetition.
func testReplay(t *testing.T, s docstore.Store, f Features) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var history []docstore.Op
	for i := range 60 {
		id := fmt.Sprintf("d%d", i%7)
		if i%11 == 10 {
			history = append(history, del("plain", id, uint64(i+1)))
		} else {
			history = append(history, put("plain", id, uint64(i+1), `{"v":%d}`, i))
		}
	}
	last := map[string]docstore.Op{}
	for _, op := range history {
		last[op.Doc.ID] = op
	}
	for range 5 {
		ops := append(append([]docstore.Op{}, history...), history...)
		rnd.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
		for len(ops) > 0 {
			n := min(len(ops), f.MaxBatch, 1+rnd.IntN(50))
			apply(t, s, ops[:n]...)
			ops = ops[n:]
		}
		for id, op := range last {
			wantDoc(t, s, "plain", id, op.Doc.Seq, string(op.Doc.JSON))
		}
	}
}
