package crypt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

var (
	kekA = bytes.Repeat([]byte{1}, 32)
	kekB = bytes.Repeat([]byte{2}, 32)
	kekC = bytes.Repeat([]byte{3}, 32)
)

func table(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ring(t testing.TB, tab crypt.Table, kek []byte) *crypt.Ring {
	t.Helper()
	r, err := crypt.NewKeyring(t.Context(), tab, kek, crypt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func seal(t testing.TB, r crypt.Keyring, key, plain string) crypt.Sealed {
	t.Helper()
	s, err := r.Seal(t.Context(), key, []byte(plain), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantOpen(t testing.TB, r crypt.Keyring, s crypt.Sealed, plain string) {
	t.Helper()
	got, err := r.Open(t.Context(), s, []byte("place"))
	if err != nil || string(got) != plain {
		t.Fatalf("open = %q, %v, want %q", got, err, plain)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error = %v, want %v", err, want)
	}
}

func TestSealOpen(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]crypt.Keyring{
		"sqlite":        ring(t, table(t, filepath.Join(t.TempDir(), "keys.db")), kekA),
		"memory":        crypt.NewMemory(),
		"deterministic": crypt.NewDeterministic("seed"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := seal(t, r, "unit/1", "hello")
			wantOpen(t, r, s, "hello")
			if s.Key != "unit/1" || bytes.Contains(s.Box, []byte("hello")) || len(s.Box) != len("hello")+29 {
				t.Fatalf("sealed = %q", s)
			}
			wantOpen(t, r, seal(t, r, "unit/2", ""), "")
			_, err := r.Open(t.Context(), s, []byte("elsewhere"))
			wantErr(t, err, crypt.ErrForged)
			_ = seal(t, r, "unit/3", "x")
			for i := range s.Box {
				forged := crypt.Sealed{Key: s.Key, Box: bytes.Clone(s.Box)}
				forged.Box[i] ^= 0x10
				_, err := r.Open(t.Context(), forged, []byte("place"))
				wantErr(t, err, crypt.ErrForged)
				_, err = r.Open(t.Context(), crypt.Sealed{Key: s.Key, Box: s.Box[:i]}, []byte("place"))
				wantErr(t, err, crypt.ErrForged)
			}
			_, err = r.Open(t.Context(), crypt.Sealed{Key: "unit/3", Box: s.Box}, []byte("place"))
			wantErr(t, err, crypt.ErrForged)
			if _, err := r.Open(t.Context(), crypt.Sealed{Key: "never made", Box: s.Box}, nil); err == nil {
				t.Fatal("opened under a key that is not there")
			}
			for _, bad := range []string{"", "!root", strings.Repeat("k", 513), "\xff"} {
				if _, err := r.Seal(t.Context(), bad, nil, nil); err == nil {
					t.Errorf("sealed under %q", bad)
				}
				if r.Ensure(t.Context(), bad) == nil || r.Destroy(t.Context(), bad) == nil {
					t.Errorf("key name %q accepted", bad)
				}
			}
		})
	}
}

func TestDestroyIsForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.db")
	tab := table(t, path)
	r := ring(t, tab, kekA)
	s, kept := seal(t, r, "ada", "secret"), seal(t, r, "bob", "kept")
	rows, err := tab.GetMany(t.Context(), "keys", "ada")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Destroy(t.Context(), "ada", "unknown"); err != nil {
			t.Fatal(err)
		}
	}
	check := func(r *crypt.Ring) {
		t.Helper()
		for _, name := range []string{"ada", "unknown"} {
			wantErr(t, r.Ensure(t.Context(), "new", name), crypt.ErrShredded)
			_, err := r.Seal(t.Context(), name, nil, nil)
			wantErr(t, err, crypt.ErrShredded)
		}
		_, err := r.Open(t.Context(), s, []byte("place"))
		wantErr(t, err, crypt.ErrShredded)
		wantOpen(t, r, kept, "kept")
	}
	check(r)
	check(ring(t, tab, kekA)) // another process, or after a restart
	// No file holds the wrapped key any more.
	wrapped := rows[0].JSON[bytes.Index(rows[0].JSON, []byte(`"wrapped":"`))+11:][:40]
	files, err := filepath.Glob(filepath.Dir(path) + "/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, wrapped) {
			t.Errorf("%s still holds the key", f)
		}
	}
}

func TestOtherProcessLearnsOfDestroyAfterRecheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := crypt.NewMemoryTable()
		a, err := crypt.NewKeyring(t.Context(), m, kekA, crypt.Options{Recheck: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		b, err := crypt.NewKeyring(t.Context(), m, kekA, crypt.Options{Recheck: -1})
		if err != nil {
			t.Fatal(err)
		}
		s := seal(t, a, "k", "x")
		wantOpen(t, b, s, "x")
		if err := b.Destroy(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		wantOpen(t, a, s, "x") // believed for a minute
		time.Sleep(time.Minute + 1)
		_, err = a.Open(t.Context(), s, []byte("place"))
		wantErr(t, err, crypt.ErrShredded)
	})
}

func TestWrongKEK(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.db")
	tab := table(t, path)
	s := seal(t, ring(t, tab, kekA), "k", "x")
	_, err := crypt.NewKeyring(t.Context(), tab, kekB, crypt.Options{})
	if err == nil || !strings.Contains(err.Error(), "wrong kek file or WEFTLINE_KEK") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error = %v", err)
	}
	for _, bad := range [][]byte{nil, {}, make([]byte, 32), kekA[:31], append(bytes.Clone(kekA), 0)} {
		if _, err := crypt.NewKeyring(t.Context(), tab, bad, crypt.Options{}); err == nil {
			t.Errorf("a key-encryption key of %d bytes was accepted", len(bad))
		}
	}
	wantOpen(t, ring(t, tab, kekA), s, "x")
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	a, b := crypt.NewDeterministic("seed"), crypt.NewDeterministic("seed")
	if s := seal(t, a, "k", "x"); !bytes.Equal(s.Box, seal(t, b, "k", "x").Box) || bytes.Equal(s.Box, seal(t, a, "k", "y").Box) {
		t.Fatal("boxes do not follow from seed and content")
	}
	r := crypt.NewMemory()
	if bytes.Equal(seal(t, r, "k", "x").Box, seal(t, r, "k", "x").Box) {
		t.Fatal("random boxes are equal")
	}
}
