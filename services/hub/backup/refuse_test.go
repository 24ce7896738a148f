package backup_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/datadir"
)

// sample is a backup of a small hub, made once per call.
func sample(t *testing.T, change ...func(*backup.Source)) (dir string) {
	t.Helper()
	tmp := t.TempDir()
	h := open(t, filepath.Join(tmp, "data"), false)
	for i, body := range []string{"short", strings.Repeat("long", 1000)} {
		if err := h.intake.Accept(within(t), channel.Raw{Channel: "email", Inbox: "support", ProviderID: fmt.Sprint(i), Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	src := h.source()
	for _, c := range change {
		c(&src)
	}
	dir = filepath.Join(tmp, "copy")
	if err := backup.Write(within(t), src, dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	h.close()
	return dir
}

func TestWrongKEK(t *testing.T) {
	t.Parallel()
	wrong := filepath.Join(t.TempDir(), "other")
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	if err := os.WriteFile(wrong, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, sample(t, func(s *backup.Source) { s.KEKPath = wrong }), "keys.db", "wrong kek")
}

func TestWithoutKEK(t *testing.T) {
	t.Parallel()
	var kek []byte
	dir := sample(t, func(s *backup.Source) {
		s.WithoutKEK = true
		kek, _ = os.ReadFile(s.KEKPath)
	})
	if _, err := os.Stat(filepath.Join(dir, "kek")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("kek in the backup: %v", err)
	}
	data := filepath.Join(t.TempDir(), "restored")
	var out bytes.Buffer
	if err := backup.Restore(within(t), dir, data, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "put it into the data directory") {
		t.Errorf("no word of the missing key: %s", &out)
	}
	if err := os.WriteFile(filepath.Join(data, "kek"), kek, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, data, true)
}

func TestDirectoriesInUseAreRefused(t *testing.T) {
	t.Parallel()
	dir := sample(t)
	data := t.TempDir() // there, and empty: as a mounted volume is
	if err := backup.Restore(within(t), dir, data, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := backup.Restore(within(t), dir, data, io.Discard); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a second restore: %v", err)
	}
	h := open(t, data, true)
	if err := backup.Restore(within(t), dir, data, io.Discard); !errors.Is(err, datadir.ErrLocked) {
		t.Errorf("a restore below a hub that runs: %v", err)
	}
	if err := backup.Write(within(t), h.source(), dir, io.Discard); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a backup over another one: %v", err)
	}
	half := t.TempDir()
	if err := os.Mkdir(filepath.Join(half, datadir.Restoring), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := backup.Restore(within(t), dir, half, io.Discard); !errors.Is(err, backup.ErrNotEmpty) && !errors.Is(err, datadir.ErrUnfinished) {
		t.Errorf("a restore over an interrupted one: %v", err)
	}
}

// TestCancelledBackupLeavesNothing, and the next one works.
func TestCancelledBackupLeavesNothing(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	h := open(t, filepath.Join(tmp, "data"), false)
	dir := filepath.Join(tmp, "copy")
	ctx, cancel := context.WithCancel(within(t))
	src := h.source()
	src.Quiesce = func(context.Context) (func(), error) { return cancel, nil } // ends it when the streams are begun
	if err := backup.Write(ctx, src, dir, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want it cancelled", err)
	}
	if left, _ := filepath.Glob(dir + "*"); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
	h.backup(dir)
}
