package proof_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

func TestWhatIsOverIsSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	old := w.start(t, ada, "one@x.org")
	w.Clock = w.Clock.Add(10 * time.Minute)
	young := w.start(t, ada, "two@x.org")
	sweep := func() {
		t.Helper()
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	key := func(id string) error {
		_, err := w.Keys.Seal(t.Context(), proof.Key(id), nil, nil)
		return err
	}
	sweep()
	if !errors.Is(key(old.ID), crypt.ErrShredded) || key(young.ID) != nil {
		t.Errorf("keys: %v, %v", key(old.ID), key(young.ID))
	}
	if got, err := w.Get(t.Context(), "default", old.ID); err != nil || got.State != proof.Expired {
		t.Errorf("%+v, %v", got, err)
	}
	w.Clock = w.Clock.Add(26 * time.Hour)
	sweep()
	sweep()
	for _, c := range []string{"proof_challenges", "proof_limits"} {
		if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error { return errors.New(d.ID) }); err != nil {
			t.Errorf("%s still has %v", c, err)
		}
	}
	if _, missing := errors.AsType[*customer.NotFoundError](errOf(w.Get(t.Context(), "default", old.ID))); !missing {
		t.Error("it is still there")
	}
}

// TestNothingIsInClear: neither code nor address is in the store or an event.
func TestNothingIsInClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "secret.address@x.org")
	code := w.secret(st.ID)
	look := func() {
		t.Helper()
		for _, c := range []string{"proof_challenges", "proof_limits"} {
			if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error {
				if s := d.ID + string(d.JSON); strings.Contains(s, "secret.address") || strings.Contains(s, code) {
					t.Errorf("%s: %s", c, s)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	look()
	w.check(t, st.ID, code)
	look()
	for _, c := range w.Commits() {
		b, _ := json.Marshal(c)
		if strings.Contains(string(b), "secret.address") || strings.Contains(string(b), code) {
			t.Errorf("%s", b)
		}
	}
}

func TestTheErasedAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 2)
	st := w.start(t, ada, "new@x.org")
	other := w.start(t, bob, "other@x.org")
	for range 2 {
		if err := w.Forget(t.Context(), "default", []string{ada}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Keys.Seal(t.Context(), proof.Key(st.ID), nil, nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("its key: %v", err)
	}
	for _, c := range []string{"proof_challenges", "proof_limits"} {
		if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error {
			if strings.Contains(d.ID+string(d.JSON), ada) || strings.Contains(d.ID, st.Handle) {
				t.Errorf("%s has %s", c, d.ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.check(t, other.ID, w.secret(other.ID)); !a.Proven {
		t.Errorf("somebody else's: %+v", a)
	}
}
