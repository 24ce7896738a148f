package query_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/projection"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
)

// BenchmarkPages reads first pages with more and more conversations behind
// them: the time per page must not grow. Each page is 50 rows, or 50 entries.
func BenchmarkPages(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		keys := crypt.NewMemory()
		h := historytest.New(4, keys)
		live, err := readmodel.OpenLive(b.Context(), openStore(b), keys, codec.Decode, eventstore.Store(h.Store), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			c := h.Meet(b, channel.Address{Kind: "email", Address: fmt.Sprintf("p%d@example.org", i), Name: "Person"}, "a subject", "where is my parcel")
			if i%3 == 0 {
				h.Do(b, c, "ada", event.ConversationAssigned{Conversation: c.Conversations[0].ID, Assignee: "ada"})
			}
		}
		for range 100 {
			h.Say(b, h.Customers[0], h.Customers[0].Conversations[0], h.Customers[0].Handles[0], "again")
		}
		begun := time.Now()
		if err := projection.Replay(b.Context(), h.Store, live); err != nil {
			b.Fatal(err)
		}
		b.Logf("%d conversations projected in %s", n, time.Since(begun).Round(time.Millisecond))
		r := query.New(live, h.Store, codec.Decode, keys, historytest.Tenant)
		for name, read := range map[string]func() error{
			"queue": func() error {
				_, err := r.ListConversations(b.Context(), &inboxv1.ListConversationsRequest{Status: inboxv1.Status_STATUS_OPEN, Assignee: "ada"})
				return err
			},
			"everything": func() error {
				_, err := r.ListConversations(b.Context(), &inboxv1.ListConversationsRequest{})
				return err
			},
			"timeline": func() error {
				_, err := r.GetTimeline(b.Context(), &inboxv1.GetTimelineRequest{CustomerId: h.Customers[0].ID})
				return err
			},
			"search": func() error {
				_, err := r.Search(b.Context(), &inboxv1.SearchRequest{Query: fmt.Sprintf("p%d@example.org", n/2)})
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/conversations=%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if err := read(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
