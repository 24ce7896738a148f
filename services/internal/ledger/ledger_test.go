package ledger_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/internal/ledger"
)

var at = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func entry(id string, day int) ledger.Entry {
	return ledger.Entry{ID: id, Kind: ledger.KindCustomer, At: at.AddDate(0, 0, day), Tenant: "default", Keys: []string{"unit/" + id}}
}

func ids(t *testing.T, dir string) []string {
	t.Helper()
	all, err := ledger.Read(filepath.Join(dir, ledger.File))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.ID)
	}
	return out
}

func open(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAnEntryIsThereOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 { // again after a restart
		if err := open(t, dir).Add(entry("a", 0), entry("b", 1)); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"a", "b"}, ids(t, dir)); d != "" {
		t.Error(d)
	}
}

// A crash cut off the last line: what it was to say was not done yet.
func TestACutLineIsNoEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir).Add(entry("a", 0), entry("b", 1)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ledger.File)
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, b[:len(b)-5], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Add(entry("c", 2)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "c"}, ids(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestADamagedLineIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ledger.File), []byte("{\"id\":\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(dir); err == nil {
		t.Error("a damaged ledger was opened: somebody would come back")
	}
}

func TestMergeHasEverythingAndNamesTheNewest(t *testing.T) {
	t.Parallel()
	older, newer := t.TempDir(), t.TempDir()
	if err := open(t, older).Add(entry("a", 0)); err != nil {
		t.Fatal(err)
	}
	if err := open(t, newer).Add(entry("a", 0), entry("b", 7), entry("c", 3)); err != nil {
		t.Fatal(err)
	}
	newest, n, err := ledger.Merge(older, filepath.Join(newer, ledger.File))
	if err != nil || newest.ID != "b" || n != 3 {
		t.Errorf("merged: newest %q of %d, %v", newest.ID, n, err)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, ids(t, older)); d != "" {
		t.Error(d)
	}
}
