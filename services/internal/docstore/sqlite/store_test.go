package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/docstoretest"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

func open(t testing.TB, opts sqlite.Options) *sqlite.Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "test ?#%.db"), opts)
}

func openAt(t testing.TB, path string, opts sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	docstoretest.Run(t, func(t *testing.T) docstore.Store { return open(t, sqlite.Options{}) },
		docstoretest.Features{Atomic: true, Backup: true, Concurrent: true, Unique: true})
}
