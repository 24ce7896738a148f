// Package docstoretest checks an engine against every clause of docstore.
package docstoretest

import (
	"context"
	"fmt"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Features says what an engine promises beyond the common contract, or cannot
// do on a given server.
type Features struct {
	Atomic     bool // an error leaves nothing of a batch
	Backup     bool // else ErrUnsupported
	Concurrent bool // guards hold between writers at the same time
	Unique     bool // unique indexes hold
	MaxBatch   int  // operations in one batch of the tests; 0: 300
}

// Run runs the suite. open returns an empty store of the test's own; it closes what it opened.
func Run(t *testing.T, open func(t *testing.T) docstore.Store, f Features) {
	if f.MaxBatch == 0 {
		f.MaxBatch = 300
	}
	tests := map[string]func(*testing.T, docstore.Store, Features){
		"declare":       testDeclare,
		"redeclare":     testRedeclare,
		"get":           testGet,
		"documents":     testDocuments,
		"guard":         testGuard,
		"delete":        testDelete,
		"create":        testCreate,
		"revision":      testRevision,
		"replay":        testReplay,
		"list":          testList,
		"list id order": testListByID,
		"list missing":  testListMissing,
		"paging":        testPaging,
		"tokens":        testTokens,
		"bad queries":   testBadQueries,
		"count":         testCount,
		"search":        testSearch,
		"search safe":   testSearchSafe,
		"search follow": testSearchFollows,
		"batch":         testBatch,
		"checkpoint":    testCheckpoint,
		"scan":          testScan,
		"drop":          testDrop,
		"cancelled":     testCancelled,
		"unicode":       testUnicode,
	}
	if f.Unique {
		tests["unique"] = testUnique
	}
	if f.Concurrent {
		tests["concurrent"] = testConcurrent
	}
	if !f.Backup {
		tests["backup"] = func(t *testing.T, s docstore.Store, _ Features) {
			wantErr(t, s.Backup(t.Context(), t.TempDir()), docstore.ErrUnsupported)
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if err := s.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Declare(t.Context(), Notes(), plain); err != nil {
				t.Fatal(err)
			}
			test(t, s, f)
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, open(t)) })
}

// Notes is the collection most tests use.
func Notes() docstore.Collection {
	return docstore.Collection{
		Name: "notes",
		Indexes: []docstore.Index{
			{Name: "by_status", Prefix: []string{"tenant", "status"}, Sort: "at"},
			{Name: "by_tenant", Prefix: []string{"tenant"}},
			{Name: "by_at", Sort: "at"},
			{Name: "by_title", Prefix: []string{"tenant"}, Sort: "title"},
		},
		Text:       []string{"title", "body"},
		TextFilter: []string{"tenant", "status"},
	}
}

var plain = docstore.Collection{Name: "plain", Indexes: []docstore.Index{{Name: "all"}}}

func put(collection, id string, seq uint64, json string, args ...any) docstore.Op {
	if len(args) > 0 {
		json = fmt.Sprintf(json, args...)
	}
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id, Seq: seq, JSON: []byte(json)}}
}

func del(collection, id string, seq uint64) docstore.Op {
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id, Seq: seq}, Delete: true}
}

func apply(t testing.TB, s docstore.Store, ops ...docstore.Op) {
	t.Helper()
	if err := s.Apply(context.Background(), docstore.Batch{Ops: ops}); err != nil {
		t.Fatal(err)
	}
}
