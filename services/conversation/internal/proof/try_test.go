package proof_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/internal/crypt"
)

func TestWhatCanBeNoCodeNeverMatchesAndCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	for _, typed := range []string{"", " ", "\x00", "12345", right + "1", right[:5] + "x", "null", "[]", strings.Repeat("1", 1<<16), "١٢٣٤٥٦"} {
		if a := w.check(t, st.ID, typed); a.Proven || a.Tries != 5 {
			t.Errorf("%.20q: %+v", typed, a)
		}
	}
	for name, q := range map[string]proof.Attempt{
		"as a link":       {ID: st.ID, Secret: right, Method: proof.MethodLink},
		"another tenant":  {ID: st.ID, Secret: right, Tenant: "other"},
		"over a handle":   {ID: st.ID, Secret: right, Via: &channel.Address{Kind: "chat", Scope: "widget", Address: "v"}},
		"no id":           {Secret: right},
		"somebody else's": {ID: "proof_00000000000000000000000000000000", Secret: right},
	} {
		if a, err := w.Check(t.Context(), q); err != nil || a.Proven || a.State != proof.Void || a.Tries != 0 || a.Customer != "" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if a := w.check(t, st.ID, right); !a.Proven {
		t.Errorf("the right one after all: %+v", a)
	}
}

func TestFiveTriesThenNeverMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	for left := 4; left >= 0; left-- {
		if a := w.check(t, st.ID, wrong(right)); a.Proven || a.Tries != left {
			t.Fatalf("%+v, want %d left", a, left)
		}
	}
	if a := w.check(t, st.ID, right); a.Proven || a.State != proof.Failed {
		t.Errorf("%+v", a)
	}
	if _, err := w.Keys.Seal(t.Context(), proof.Key(st.ID), nil, nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("its key: %v", err)
	}
}

func TestOfManyAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	var all sync.WaitGroup
	var won atomic.Int64
	for range 16 {
		all.Go(func() {
			if a, err := w.Check(context.Background(), proof.Attempt{ID: st.ID, Secret: right}); err != nil {
				t.Error(err)
			} else if a.Proven {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d succeeded", won.Load())
	}
	if n := len(domaintest.Events[event.HandleClaimed](w.Domain)); n != 2 {
		t.Errorf("%d claims", n)
	}
}

func TestWrongOnesAtOnceCostATryEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if a, err := w.Check(context.Background(), proof.Attempt{ID: st.ID, Secret: wrong(right)}); err != nil || a.Proven {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	all.Wait()
	if a := w.check(t, st.ID, right); a.Proven {
		t.Errorf("after 12 wrong ones: %+v", a)
	}
}
