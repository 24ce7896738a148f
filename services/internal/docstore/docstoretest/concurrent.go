package docstoretest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
)

func testUnique(t *testing.T, s docstore.Store, _ Features) {
	c := docstore.Collection{Name: "agents", Indexes: []docstore.Index{{Name: "login", Prefix: []string{"tenant", "login"}, Unique: true}}}
	if err := s.Declare(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	apply(t, s, put("agents", "1", 1, `{"tenant":"t","login":"ada"}`), put("agents", "2", 1, `{"tenant":"u","login":"ada"}`),
		put("agents", "3", 1, `{"tenant":"t"}`), put("agents", "4", 1, `{"tenant":"t"}`), put("agents", "5", 1, `{"tenant":"t","login":null}`))
	same := put("agents", "6", 1, `{"tenant":"t","login":"ada"}`)
	wantErr(t, s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{same}}), docstore.ErrExists)
	same.Create = true
	wantErr(t, s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{same}}), docstore.ErrExists)
	rename := put("agents", "3", 2, `{"tenant":"t","login":"ada"}`)
	rename.IfRev = 1
	wantErr(t, s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{rename}}), docstore.ErrExists)
	wantDoc(t, s, "agents", "3", 1, `{"tenant":"t"}`)
	wantList(t, s, "agents", docstore.Query{Index: "login", Prefix: []any{"t", "ada"}}, "1")
	apply(t, s, put("agents", "1", 2, `{"tenant":"t","login":"ada","x":1}`)) // itself
	apply(t, s, del("agents", "1", 3))
	same.Create = false
	apply(t, s, same)
	wantList(t, s, "agents", docstore.Query{Index: "login", Prefix: []any{"t", "ada"}}, "6")
}

func testConcurrent(t *testing.T, s docstore.Store, _ Features) {
	const workers, each = 8, 50
	apply(t, s, put("plain", "counter", 1, `{"n":0}`))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done := 0; done < each; {
				d, err := s.Get(t.Context(), "plain", "counter")
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				if _, err := fmt.Sscanf(string(d.JSON), `{"n":%d}`, &n); err != nil {
					t.Error(err)
					return
				}
				op := put("plain", "counter", d.Seq+1, `{"n":%d}`, n+1)
				op.IfRev = d.Seq
				switch err := s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{op}}); {
				case err == nil:
					done++
				case !errors.Is(err, docstore.ErrStale):
					t.Error(err)
					return
				}
			}
		})
	}
	// Guarded puts of one id at the same time: the greatest stays.
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				seq := uint64(1 + (i*workers+w)*7919%(workers*each))
				if err := s.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{put("plain", "race", seq, `{"seq":%d}`, seq)}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantDoc(t, s, "plain", "counter", workers*each+1, fmt.Sprintf(`{"n":%d}`, workers*each))
	wantDoc(t, s, "plain", "race", workers*each, fmt.Sprintf(`{"seq":%d}`, workers*each))
}
