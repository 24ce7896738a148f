package feed_test

import (
	"slices"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/internal/crypt"
)

// When the new owner has the handle, both owners' timelines are to be fetched
// anew: what left the one is with the other from then on.
func TestAMoveNamesWhoseTimelinesChanged(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	h := historytest.New(1, keys)
	f := newFeed(t, feed.Config{Tenant: historytest.Tenant}, h.Store, keys)
	at, err := f.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := h.Meet(t, channel.Address{Kind: "email", Address: "a@example.org"}, "s", "hello")
	b := h.Meet(t, channel.Address{Kind: "email", Address: "b@example.org"}, "s", "hello")
	h.Move(t, a, 0, b, h.Now)
	commits, err := h.Store.Read(t.Context(), 0, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), 0, commits); err != nil {
		t.Fatal(err)
	}
	for ev, err := range f.Subscribe(t.Context(), at) {
		if err != nil {
			t.Fatal(err)
		}
		stale := ev.GetStaleCustomerIds()
		if act := ev.GetEntry().GetActivity(); act.GetVerb() == "handle_attached" && ev.GetEntry().GetHandle().GetTenure() == 2 {
			if !slices.Equal(stale, []string{a.ID, b.ID}) {
				t.Errorf("stale %v", stale)
			}
			return
		} else if ev.GetEntry().GetMessage() != nil && len(stale) > 0 {
			t.Errorf("a message makes %v stale", stale)
		}
	}
}
