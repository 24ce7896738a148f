package storeid_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/datadir"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/storeid"
)

// start does what a hub does with its databases, and says how it went.
func start(t *testing.T, path string) error {
	t.Helper()
	dir, err := datadir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	names := []string{"state.db", "keys.db"}
	if err := dir.CheckParts(names...); err != nil {
		return err
	}
	var all []storeid.Database
	for _, name := range names {
		db, err := sqlite.Open(t.Context(), dir.Path(name), sqlite.Options{Sync: sqlite.Full})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		all = append(all, storeid.Database{Name: name, Holds: "what", Store: db})
	}
	if err := storeid.Check(t.Context(), dir, all...); err != nil {
		return err
	}
	for _, db := range all {
		if err := db.Store.Declare(t.Context(), docstore.Collection{Name: "things"}); err != nil {
			t.Fatal(err)
		}
	}
	return dir.NoteParts(names...)
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// emptied makes of a database what a lost -wal leaves: a file with nothing in it.
func emptied(t *testing.T, path string) {
	t.Helper()
	remove(t, path, path+"-wal", path+"-shm")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptiedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"state.db", "keys.db"} {
		for how, empty := range map[string]func(path string){
			"0 bytes": func(path string) {
				if err := os.Truncate(path, 0); err != nil {
					t.Error(err)
				}
			},
			"new": func(path string) { emptied(t, path) },
		} {
			path := t.TempDir()
			for range 2 {
				if err := start(t, path); err != nil {
					t.Fatal(err)
				}
			}
			empty(filepath.Join(path, name))
			for range 2 { // the refused start must not make it good
				err := start(t, path)
				if err == nil || !strings.Contains(err.Error(), name+" ") || !strings.Contains(err.Error(), "restore a backup") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s, %s: %v", name, how, err)
				}
			}
		}
	}
}

func TestADatabaseOfAnotherDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	for _, path := range []string{a, b} {
		if err := start(t, path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(a, "keys.db"), filepath.Join(b, "keys.db")); err != nil {
		t.Fatal(err)
	}
	if err := start(t, b); err == nil || !strings.Contains(err.Error(), "keys.db belongs to another data directory") {
		t.Errorf("keys.db of another hub: %v", err)
	}
}

// A directory from before there were ids lists its parts and has none.
func TestADirectoryWithoutIDsGetsThem(t *testing.T) {
	t.Parallel()
	old := func(t *testing.T) string {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, "VERSION"), []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "made"), []byte("keys.db\nstate.db\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"state.db", "keys.db"} {
			db, err := sqlite.Open(t.Context(), filepath.Join(path, name), sqlite.Options{})
			if err == nil {
				err = db.Declare(t.Context(), docstore.Collection{Name: "things"})
			}
			if err == nil {
				err = db.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	path := old(t)
	if err := start(t, path); err != nil {
		t.Fatal(err)
	}
	emptied(t, filepath.Join(path, "state.db"))
	if err := start(t, path); err == nil {
		t.Error("it had got its ids, and an emptied state.db was taken")
	}
	path = old(t)
	emptied(t, filepath.Join(path, "state.db"))
	if err := start(t, path); err == nil || !strings.Contains(err.Error(), "state.db was emptied") {
		t.Errorf("emptied before it got its id: %v", err)
	}
}

// A restored directory has no list of parts; its databases know where they belong.
func TestARestoredDirectoryKeepsItsID(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	if err := start(t, path); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Join(path, "made"))
	if err := start(t, path); err != nil {
		t.Fatalf("restored: %v", err)
	}
	remove(t, filepath.Join(path, "made"))
	emptied(t, filepath.Join(path, "keys.db"))
	if err := start(t, path); err == nil || !strings.Contains(err.Error(), "keys.db was emptied") {
		t.Errorf("keys.db emptied after a restore: %v", err)
	}
}
