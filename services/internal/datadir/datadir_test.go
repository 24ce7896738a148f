package datadir_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/datadir"
)

func TestSecondHubIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	d, err := datadir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(dir); !errors.Is(err, datadir.ErrLocked) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("second open: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := datadir.Open(dir)
	if err != nil {
		t.Fatalf("after close: %v", err)
	}
	again.Close()
}

func TestNewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{"99\n": "use a newer hub", "x": "not a number"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "VERSION"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := datadir.Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestUnfinishedRestoreIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, datadir.Restoring), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(dir); !errors.Is(err, datadir.ErrUnfinished) {
		t.Fatalf("%v, want ErrUnfinished", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "VERSION")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("it was written to: %v", err)
	}
}

func TestWhatWasThereAndIsGoneIsRefused(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	open := func() *datadir.Dir {
		d, err := datadir.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	d := open()
	if err := d.CheckParts("keys.db", "nats"); err != nil {
		t.Fatalf("first start: %v", err)
	}
	if err := os.WriteFile(d.Path("keys.db"), []byte("keys"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.NoteParts("keys.db"); err != nil {
		t.Fatal(err)
	}
	if err := d.CheckParts("keys.db", "nats"); err != nil {
		t.Fatalf("a part made later: %v", err)
	}
	if err := os.Truncate(d.Path("keys.db"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.CheckParts("keys.db"); err == nil || !strings.Contains(err.Error(), "keys.db has 0 bytes") {
		t.Fatalf("emptied: %v", err)
	}
	if err := os.Remove(d.Path("keys.db")); err != nil {
		t.Fatal(err)
	}
	if err := d.NoteParts("nats"); err != nil {
		t.Fatal(err)
	}
	if err := d.CheckParts("keys.db"); err == nil || !strings.Contains(err.Error(), "keys.db is missing") {
		t.Fatalf("lost: %v", err)
	}
	if err := d.CheckParts(); err != nil {
		t.Fatalf("not needed now: %v", err)
	}
}

func TestADirectoryOfOthersIsNotAdopted(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for _, name := range []string{"kek", "lock"} { // brought, or left by an attempt
		if err := os.WriteFile(filepath.Join(path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !datadir.Fresh(path) || datadir.Fresh(filepath.Join(path, "nope")) {
		t.Error("what is fresh")
	}
	if err := os.WriteFile(filepath.Join(path, "thesis.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(path); err == nil || !strings.Contains(err.Error(), `no data directory of a hub and not empty, it holds "thesis.doc"`) {
		t.Errorf("adopted: %v", err)
	}
	if _, err := os.Stat(filepath.Join(path, "VERSION")); !errors.Is(err, os.ErrNotExist) || datadir.Fresh(path) {
		t.Errorf("it was written to: %v", err)
	}
}
