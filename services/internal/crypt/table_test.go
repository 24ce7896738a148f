package crypt_test

import (
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// keyTable is an empty key table on disk.
func keyTable(t *testing.T) crypt.Table {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
