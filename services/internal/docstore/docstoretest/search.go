package docstoretest

import (
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
)

func testSearch(t *testing.T, s docstore.Store, _ Features) {
	doc := func(id, tenant, status, title, body string) docstore.Op {
		return put("notes", id, 1, `{"tenant":%q,"status":%q,"title":%q,"body":%q}`, tenant, status, title, body)
	}
	apply(t, s,
		doc("1", "t", "open", "Your invoice", "Invoice 2024-17 for Zürich is overdue."),
		doc("2", "t", "closed", "Re: delivery", "The INVOICE was paid by ada@example.org"),
		doc("3", "u", "open", "Lieferung", "Die Rechnung für Straße fehlt"),
		doc("4", "t", "open", "会議の件", "明日の会議について"),
		doc("5", "t", "open", "", "C'est déjà réglé, merci"))
	wantSearch(t, s, "invoice", nil, "1", "2")
	wantSearch(t, s, "INVO", nil, "1", "2")
	wantSearch(t, s, "invo paid", nil) // only the last word is a prefix
	wantSearch(t, s, "paid invo", nil, "2")
	wantSearch(t, s, "  zurich   overdue ", nil, "1")
	wantSearch(t, s, "Zürich", nil, "1")
	wantSearch(t, s, "ada@example.org", nil, "2")
	wantSearch(t, s, "2024-17", nil, "1")
	wantSearch(t, s, "deja regle", nil, "5")
	wantSearch(t, s, "会議", nil, "4")
	wantSearch(t, s, "delivery paid", nil, "2") // over both fields
	wantSearch(t, s, "invoice", map[string]any{"status": "open"}, "1")
	wantSearch(t, s, "invoice", map[string]any{"status": "closed", "tenant": "t"}, "2")
	wantSearch(t, s, "invoice", map[string]any{"tenant": "u"})
	wantSearch(t, s, "rechnung lief", map[string]any{"tenant": "u"}, "3")
	wantSearch(t, s, "nothing", nil)
}

// testSearchSafe: whatever people type is words.
func testSearchSafe(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("notes", "a", 1, `{"title":"alpha or near beta not AND title w"}`), put("notes", "b", 1, `{"title":"gamma"}`))
	for _, nothing := range []string{"", "   ", `"`, `"" *`, "*", "()", "-", "^", ":", `\`, "😀", ".*", "$", "'", "\x00", "\xff\xfe"} {
		wantSearch(t, s, nothing, nil)
	}
	for _, one := range []string{"alpha*", `"alpha`, "alpha OR beta", "title:alpha", "w : alpha", "NEAR(alpha beta)", "alpha -beta", "NOT beta", "^alpha", "alpha + beta", "{w}: alpha", `alp"ha`[:3], "alpha' or '", "alpha.*"} {
		wantSearch(t, s, one, nil, "a")
	}
	wantSearch(t, s, "alpha gamma", nil)
	wantSearch(t, s, "alpha OR gamma", nil)
	wantSearch(t, s, ".*a", nil, "a")
}

func testSearchFollows(t *testing.T, s docstore.Store, _ Features) {
	apply(t, s, put("notes", "a", 1, `{"title":"old","body":"kept","tenant":"t"}`))
	apply(t, s, put("notes", "a", 3, `{"title":"new","body":"kept","tenant":"u"}`), put("notes", "a", 2, `{"title":"late"}`))
	wantSearch(t, s, "old", nil)
	wantSearch(t, s, "late", nil)
	wantSearch(t, s, "new kept", nil, "a")
	wantSearch(t, s, "kept", map[string]any{"tenant": "t"})
	wantSearch(t, s, "kept", map[string]any{"tenant": "u"}, "a")
	op := put("notes", "a", 5, `{"title":"rev","body":"kept"}`)
	op.IfRev = 3
	apply(t, s, op)
	wantSearch(t, s, "rev", nil, "a")
	wantSearch(t, s, "new", nil)
	apply(t, s, put("notes", "a", 6, `{"title":""}`))
	wantSearch(t, s, "kept", nil)
	apply(t, s, put("notes", "a", 7, `{"body":"back"}`), del("notes", "a", 8))
	wantSearch(t, s, "back", nil)
	create := put("notes", "a", 9, `{"body":"created"}`)
	create.Create = true
	apply(t, s, create)
	wantSearch(t, s, "created", nil, "a")
	apply(t, s, del("notes", "a", 0))
	wantSearch(t, s, "created", nil)
	// Paging is stable while documents come.
	for i, id := range []string{"p1", "p2", "p3", "p4", "p5"} {
		apply(t, s, put("notes", id, 1, `{"title":"page %d"}`, i))
	}
	seen := map[string]bool{}
	q := docstore.SearchQuery{Words: "page", Limit: 2}
	for n := 6; ; n++ {
		page, err := s.Search(t.Context(), "notes", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page {
			if seen[it.ID] {
				t.Fatalf("%s twice", it.ID)
			}
			seen[it.ID] = true
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[1].Token
		apply(t, s, put("notes", "p"+string(rune('0'+n)), 1, `{"title":"page"}`))
	}
	for _, id := range []string{"p1", "p2", "p3", "p4", "p5"} {
		if !seen[id] {
			t.Fatalf("%s not seen", id)
		}
	}
}
