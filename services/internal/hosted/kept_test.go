package hosted_test

import (
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
)

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "kept.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for name, d := range map[string]hosted.Deps{"in memory": {}, "in the store": {State: db, Keys: crypt.NewMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type cursor struct{ Last string }
			byRoof := docstore.Index{Name: "roof", Prefix: []string{"roof"}}
			k := hosted.NewKept(d, "pigeon", docstore.Collection{Name: "pigeon_cursors"}, docstore.Collection{Name: "pigeon_lofts", Indexes: []docstore.Index{byRoof}})
			id := k.ID("inbox", "account")
			if id == k.ID("inboxaccount") || id == k.ID("inbox", "another") {
				t.Error("two documents have one name")
			}
			var c cursor
			if found, err := k.Get(t.Context(), "pigeon_cursors", id, &c); found || err != nil {
				t.Fatalf("before: %v %v", found, err)
			}
			if err := k.Save(t.Context(), hosted.Put("pigeon_cursors", id, cursor{"7"}), hosted.Put("pigeon_lofts", id, cursor{"8"})); err != nil {
				t.Fatal(err)
			}
			if err := k.Save(t.Context(), hosted.Drop("pigeon_lofts", id), hosted.Drop("pigeon_lofts", "nobody's")); err != nil {
				t.Fatal(err)
			}
			if found, err := k.Get(t.Context(), "pigeon_cursors", id, &c); !found || err != nil || c.Last != "7" {
				t.Errorf("kept: %v %v %+v", found, err, c)
			}
			if found, err := k.Get(t.Context(), "pigeon_lofts", id, &c); found || err != nil {
				t.Errorf("dropped: %v %v", found, err)
			}
			for loft, roof := range map[string]string{"1": "red", "2": "blue", "3": "red"} {
				if err := k.Save(t.Context(), hosted.Put("pigeon_lofts", loft, map[string]string{"roof": roof})); err != nil {
					t.Fatal(err)
				}
			}
			red := map[string]bool{}
			if err := k.List(t.Context(), "pigeon_lofts", byRoof, "red", func(id string, _ []byte) error { red[id] = true; return nil }); err != nil || len(red) != 2 || !red["1"] || !red["3"] {
				t.Errorf("listed: %v %v", red, err)
			}
			// What cannot be read is said, and is not "there is none".
			if found, err := k.Get(t.Context(), "pigeon_cursors", id, new([]int)); found || err == nil {
				t.Errorf("unreadable: %v %v", found, err)
			}
		})
	}
}
