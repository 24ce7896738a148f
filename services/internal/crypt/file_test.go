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
	dir := t.TempDir()
	t.Setenv(crypt.EnvKEK, "")
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys { // first starts at the same time agree
		wg.Go(func() {
			k, err := crypt.LoadKEK(dir)
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
	if k, err := crypt.LoadKEK(dir); err != nil || !bytes.Equal(k, other) {
		t.Fatalf("from the environment: %x, %v", k, err)
	}
	for _, bad := range []string{"x", "AAAA", strings.Repeat("A", 100)} {
		t.Setenv(crypt.EnvKEK, bad)
		if _, err := crypt.LoadKEK(dir); err == nil || strings.Contains(err.Error(), bad+" ") {
			t.Errorf("%q: error = %v", bad, err)
		}
	}
	t.Setenv(crypt.EnvKEK, "")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.LoadKEK(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by all: error = %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.LoadKEK(dir); err == nil {
		t.Error("an empty file was accepted")
	}
}
