package backup_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/datadir"
)

// refused wants a restore to fail with one line that holds each text, and to
// leave no data behind.
func refused(t *testing.T, dir string, texts ...string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "restored")
	err := backup.Restore(within(t), dir, data, io.Discard)
	if err == nil {
		t.Fatalf("not refused, want %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, text)
		}
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in %s: %v", data, err)
	}
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	clean := sample(t)
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, name := range []string{"streams/EVT-2.snapshot", "streams/IN-0.snapshot", "state.db", "keys.db", "kek", blobName(t, clean)} {
		for what, change := range map[string]func([]byte) []byte{"flipped": flip, "cut": half, "missing": nil} {
			t.Run(what+" "+name, func(t *testing.T) {
				dir := clone(t, clean)
				path := filepath.Join(dir, filepath.FromSlash(name))
				if change == nil {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
					refused(t, dir, name, "missing")
					return
				}
				edit(t, path, change)
				refused(t, dir, name, "damaged")
			})
		}
	}
	for what, change := range map[string]func([]byte) []byte{
		"cut": half,
		"changed": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"last_seq": 0`), []byte(`"last_seq": 7`), 1)
		},
	} {
		t.Run(what+" manifest", func(t *testing.T) {
			dir := clone(t, clean)
			edit(t, filepath.Join(dir, backup.ManifestFile), change)
			refused(t, dir, backup.ManifestFile, "damaged")
		})
	}
	t.Run("no manifest", func(t *testing.T) {
		refused(t, t.TempDir(), "not a backup")
	})
	t.Run("newer format", func(t *testing.T) {
		dir := clone(t, clean)
		edit(t, filepath.Join(dir, backup.ManifestFile), func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1)
		})
		refused(t, dir, "format 2", "newer hub")
	})
}

func TestNewerDataIsRefused(t *testing.T) {
	t.Parallel()
	refused(t, sample(t, func(s *backup.Source) { s.Version = datadir.Version + 1 }), "data has format", "newer hub")
}

func blobName(t *testing.T, dir string) string {
	t.Helper()
	m, err := backup.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		if strings.HasPrefix(f.Name, "blobs/") {
			return f.Name
		}
	}
	t.Fatal("no blob in the backup")
	return ""
}

func clone(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
