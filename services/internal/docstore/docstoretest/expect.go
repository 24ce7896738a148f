package docstoretest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/internal/docstore"
)

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error = %v, want %v", err, want)
	}
}

func wantSomeErr(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error, want one")
	}
}

// wantDoc checks a document; json "" wants it missing.
func wantDoc(t testing.TB, s docstore.Store, collection, id string, seq uint64, json string) {
	t.Helper()
	d, err := s.Get(context.Background(), collection, id)
	if json == "" {
		if !errors.Is(err, docstore.ErrNotFound) {
			t.Fatalf("get %s = %s, %v, want not found", id, d.JSON, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(docstore.Doc{ID: id, Seq: seq, JSON: []byte(json)}, d); diff != "" {
		t.Fatalf("document %s (-want +got):\n%s", id, diff)
	}
}

// list follows the pages of a query and returns the ids.
func list(t testing.TB, s docstore.Store, collection string, q docstore.Query) []string {
	t.Helper()
	ids := []string{}
	for {
		page, err := s.List(context.Background(), collection, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page {
			ids = append(ids, it.ID)
		}
		if len(page) < q.Limit {
			return ids
		}
		q.After = page[len(page)-1].Token
	}
}

func wantList(t testing.TB, s docstore.Store, collection string, q docstore.Query, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	for _, limit := range []int{1, 2, 1000} {
		q.Limit = limit
		if diff := cmp.Diff(want, list(t, s, collection, q)); diff != "" {
			t.Fatalf("list %s by %s %v, limit %d (-want +got):\n%s", collection, q.Index, q.Prefix, limit, diff)
		}
	}
}

func search(t testing.TB, s docstore.Store, words string, filter map[string]any) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	q := docstore.SearchQuery{Words: words, Filter: filter, Limit: 2}
	for {
		page, err := s.Search(context.Background(), "notes", q)
		if err != nil {
			t.Fatalf("search %q: %v", words, err)
		}
		for _, it := range page {
			if found[it.ID] {
				t.Fatalf("search %q: %s on two pages", words, it.ID)
			}
			found[it.ID] = true
		}
		if len(page) < q.Limit {
			return found
		}
		q.After = page[len(page)-1].Token
	}
}

func wantSearch(t testing.TB, s docstore.Store, words string, filter map[string]any, want ...string) {
	t.Helper()
	set := map[string]bool{}
	for _, id := range want {
		set[id] = true
	}
	if diff := cmp.Diff(set, search(t, s, words, filter)); diff != "" {
		t.Fatalf("search %q (-want +got):\n%s", words, diff)
	}
}
