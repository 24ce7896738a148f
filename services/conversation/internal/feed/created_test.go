package feed_test

import (
	"testing"

	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Replay tells of every new customer, once, before anything else of him;
// a console that subscribes is not told.
func TestReplayTellsOfNewCustomers(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	h := historytest.New(partitions, keys)
	for range 5 {
		h.Meet(t, address(h), "s", "hello")
	}
	f := newFeed(t, feed.Config{Tenant: historytest.Tenant}, h.Store, keys)
	created, ids, first := map[string]int{}, map[string]bool{}, ""
	all := reference(t, h.Store)
	n := len(all) + 5
	for ev, err := range f.Replay(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		e := ev.GetEntry()
		if ids[e.GetId()] || e.GetCustomerId() == "" || e.GetRecordedAt() == nil || e.GetPosition() == "" {
			t.Errorf("odd entry %v", e)
		}
		ids[e.GetId()] = true
		if e.GetActivity().GetVerb() == feed.VerbCreated {
			created[e.GetCustomerId()]++
			if first == "" {
				first = ev.GetCursor()
			}
		} else if created[e.GetCustomerId()] != 1 {
			t.Errorf("customer %s: an event before the first one", e.GetCustomerId())
		}
		if n--; n == 0 {
			break
		}
	}
	if len(created) != 5 {
		t.Errorf("told of %d customers, want 5", len(created))
	}
	n = len(all)
	for ev, err := range f.Subscribe(t.Context(), first) {
		if err != nil || ev.GetEntry().GetActivity().GetVerb() == feed.VerbCreated {
			t.Fatalf("%v, %v", ev, err)
		}
		if n--; n == 0 {
			break
		}
	}
}
