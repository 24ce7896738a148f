package crypt_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
)

func TestLoadKEK(t *testing.T) {
	dir, table := t.TempDir(), keyTable(t)
	t.Setenv(crypt.EnvKEK, "")
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys { // first starts at the same time agree
		wg.Go(func() {
			k, err := crypt.LoadKEK(t.Context(), table, dir)
			if err != nil {
				t.Error(err)
			}
			keys[i] = k
		})
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != 32 || !bytes.Equal(k, keys[0]) {
			t.Fatalf("keys differ: %x", keys)
		}
	}
	path := filepath.Join(dir, "kek")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Fatalf("left behind: %v", files)
	}
	other := bytes.Repeat([]byte{9}, 32)
	t.Setenv(crypt.EnvKEK, " "+base64.StdEncoding.EncodeToString(other)+"\n")
	if k, err := crypt.LoadKEK(t.Context(), table, dir); err != nil || !bytes.Equal(k, other) {
		t.Fatalf("from the environment: %x, %v", k, err)
	}
	for _, bad := range []string{"x", "AAAA", strings.Repeat("A", 100)} {
		t.Setenv(crypt.EnvKEK, bad)
		if _, err := crypt.LoadKEK(t.Context(), table, dir); err == nil || strings.Contains(err.Error(), bad+" ") {
			t.Errorf("%q: error = %v", bad, err)
		}
	}
	t.Setenv(crypt.EnvKEK, "")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.LoadKEK(t.Context(), table, dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by all: error = %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.LoadKEK(t.Context(), table, dir); err == nil {
		t.Error("an empty file was accepted")
	}
}

// A key that opens nothing must not be made, nor stand where the right one belongs.
func TestNoKEKIsMadeWhereKeysAre(t *testing.T) {
	t.Setenv(crypt.EnvKEK, "")
	dir, table := t.TempDir(), keyTable(t)
	path := filepath.Join(dir, "kek")
	key, err := crypt.LoadKEK(t.Context(), table, dir)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := crypt.NewKeyring(t.Context(), table, key, crypt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Ensure(t.Context(), "unit/1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it is no other the second time
		if _, err := crypt.LoadKEK(t.Context(), table, dir); err == nil || !strings.Contains(err.Error(), "key-encryption key is missing") || !strings.Contains(err.Error(), path) {
			t.Fatalf("error = %v", err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("a key was made: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if k, err := crypt.LoadKEK(t.Context(), table, dir); err != nil || !bytes.Equal(k, key) {
		t.Fatalf("put back: %v", err)
	}
}
