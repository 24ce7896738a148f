package crypt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

func TestRewrap(t *testing.T) {
	t.Parallel()
	tab := crypt.NewMemoryTable()
	r := ring(t, tab, kekA)
	var all []crypt.Sealed
	for i := range 30 {
		all = append(all, seal(t, r, fmt.Sprint("k", i), "x"))
	}
	hash := r.Hash("p", "a")
	if err := r.Destroy(t.Context(), "k0"); err != nil {
		t.Fatal(err)
	}
	check := func(r *crypt.Ring) {
		t.Helper()
		for _, s := range all[1:] {
			wantOpen(t, r, s, "x")
		}
		_, err := r.Open(t.Context(), all[0], []byte("place"))
		wantErr(t, err, crypt.ErrShredded)
		if r.Hash("p", "a") != hash {
			t.Fatal("hash changed")
		}
	}
	// A crash after each write: either key opens everything, and going on ends well.
	for fail := 1; ; fail++ {
		broken := &failing{Table: tab, after: fail}
		err := ring(t, broken, kekA).Rewrap(t.Context(), kekB)
		if err == nil {
			break
		}
		wantErr(t, err, errBroken)
		if fail%7 == 1 {
			check(ring(t, tab, kekA))
			if _, err := crypt.NewKeyring(t.Context(), tab, kekB, crypt.Options{}); err == nil {
				check(ring(t, tab, kekB))
			} else if fail > 1 {
				t.Fatalf("after %d writes the new key does not open the table: %v", fail-1, err)
			}
			if fail > 1 {
				if err := ring(t, tab, kekA).Rewrap(t.Context(), kekC); err == nil {
					t.Fatal("a second rotation began before the first was through")
				}
			}
		}
	}
	check(ring(t, tab, kekB))
	if _, err := crypt.NewKeyring(t.Context(), tab, kekA, crypt.Options{}); err == nil {
		t.Fatal("the old key still opens the table")
	}
	if err := ring(t, tab, kekB).Rewrap(t.Context(), kekC); err != nil {
		t.Fatal(err)
	}
	check(ring(t, tab, kekC))
}

var errBroken = errors.New("broken")

// failing refuses writes after some.
type failing struct {
	crypt.Table
	after int
}

func (f *failing) Apply(ctx context.Context, b docstore.Batch) error {
	if f.after--; f.after < 0 {
		return errBroken
	}
	return f.Table.Apply(ctx, b)
}
