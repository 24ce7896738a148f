package crypt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
)

// TestEnsureRace: rings of several processes agree on every key.
func TestEnsureRace(t *testing.T) {
	t.Parallel()
	tab := table(t, filepath.Join(t.TempDir(), "keys.db"))
	rings := []*crypt.Ring{ring(t, tab, kekA), ring(t, tab, kekA), ring(t, tab, kekA)}
	var mu sync.Mutex
	sealed := map[string][]crypt.Sealed{}
	var wg sync.WaitGroup
	for g := range 12 {
		wg.Go(func() {
			r := rings[g%3]
			for i := range 20 {
				name, shared := fmt.Sprint("k", i), fmt.Sprint("own", g, i)
				if err := r.Ensure(t.Context(), name, shared); err != nil {
					t.Error(err)
					return
				}
				s, err := r.Seal(t.Context(), name, []byte("x"), []byte("place"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				sealed[name] = append(sealed[name], s)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, boxes := range sealed {
		for _, s := range boxes {
			for _, r := range append(rings, ring(t, tab, kekA)) {
				wantOpen(t, r, s, "x")
			}
		}
	}
}

func TestEnsureMany(t *testing.T) {
	t.Parallel()
	tab := crypt.NewMemoryTable()
	r, err := crypt.NewKeyring(t.Context(), tab, kekA, crypt.Options{Cache: 10})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range 1200 {
		names = append(names, fmt.Sprint("k", i))
	}
	if err := r.Ensure(t.Context(), append(names, names...)...); err != nil {
		t.Fatal(err)
	}
	first := seal(t, r, "k0", "x")
	seal(t, r, "k1199", "y")
	wantOpen(t, r, first, "x") // evicted and read again
	rows, err := tab.GetMany(t.Context(), "keys", names...)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rows {
		if d.JSON == nil {
			t.Fatalf("%s is not in the table", d.ID)
		}
	}
}

// TestDestroyRace: once Destroy has returned, nothing in this process seals or opens under the key.
func TestDestroyRace(t *testing.T) {
	t.Parallel()
	r := ring(t, crypt.NewMemoryTable(), kekA)
	for i := range 200 {
		name := fmt.Sprint("k", i)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := r.Seal(t.Context(), name, []byte("x"), nil); err != nil && !errors.Is(err, crypt.ErrShredded) {
					t.Error(err)
				}
			})
		}
		if err := r.Destroy(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		_, err := r.Seal(t.Context(), name, nil, nil)
		wantErr(t, err, crypt.ErrShredded)
		wg.Wait()
		_, err = r.Seal(t.Context(), name, nil, nil)
		wantErr(t, err, crypt.ErrShredded)
	}
}
