package feed_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/eventstore"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// However far the projection lags, a row that comes with an event is exactly
// the row after it; and when it lags no further than the window reaches, it comes.
func TestRowsAreExactWithoutWaiting(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys := crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		if err := readmodel.DropGeneration(t.Context(), store, readmodel.NamesOf(1)); err != nil {
			t.Fatal(err)
		}
		h := historytest.New(1, keys)
		live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		reader := query.New(live, h.Store, codec.Decode, keys, historytest.Tenant)
		f, err := feed.New(t.Context(), feed.Config{Tenant: historytest.Tenant, Rows: live, Keys: keys, Place: reader.Place}, h.Store, codec.Decode, reader.View(), keys)
		if err != nil {
			t.Fatal(err)
		}
		at, err := f.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 30).Draw(t, "steps")
		for range n {
			h.Step(t)
		}
		commits, err := h.Store.Read(t.Context(), 0, 1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Apply(t.Context(), 0, commits); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, c := range commits {
			evs, err := codec.Decode(c)
			if err != nil {
				t.Fatal(err)
			}
			for i, ev := range evs {
				p := readmodel.Commit{Commit: c}.Place(i)
				if _, ok := readmodel.NewEntry(p, ev); ok && p.Customer != "" {
					total++
				} else if _, _, ok := readmodel.Progress(p, ev); ok {
					total++
				}
			}
		}
		applied := 0
		for ev, err := range f.Subscribe(t.Context(), at) {
			if err != nil {
				t.Fatal(err)
			}
			if row := ev.GetConversation(); row != nil {
				was, err := reader.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId(), AsOf: ev.GetCursor()})
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range was.GetConversations() {
					if want.GetId() != row.GetId() {
						continue
					}
					// Links and joins live on other streams: what follows from
					// them is as of the projection.
					opts := []cmp.Option{protocmp.Transform()}
					if len(h.Links)+len(h.Joins) > 0 {
						opts = append(opts, protocmp.IgnoreFields(want, "person_id", "topic_id", "customer_name"))
					}
					if d := cmp.Diff(want, row, opts...); d != "" {
						t.Fatalf("row (-as of its cursor +live):\n%s", d)
					}
				}
			} else if applied == 0 && ev.GetEntry().GetActivity().GetVerb() == "assigned" {
				t.Fatal("nothing is projected yet, the window has all: the row should be here")
			}
			// The projection goes on meanwhile, now and then past what is shown here.
			if rapid.IntRange(0, 3).Draw(t, "project") == 0 && applied < len(commits) {
				k := rapid.IntRange(1, len(commits)-applied).Draw(t, "commits")
				if err := live.Apply(t.Context(), 0, append([]eventstore.Commit(nil), commits[applied:applied+k]...)); err != nil {
					t.Fatal(err)
				}
				applied += k
			}
			if total--; total == 0 {
				break
			}
		}
	})
}
