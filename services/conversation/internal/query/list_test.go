package query_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/crypt"
	"pgregory.net/rapid"
)

// Every combination of filters, in pages of any size, lists exactly the rows
// that fit, newest activity first.
func TestListConversations(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			s.Step(t)
		}
		s.catchUp(t)
		var all []*inboxv1.Conversation
		for _, c := range s.Customers {
			for _, conv := range c.Conversations {
				r, err := s.reader.GetConversation(t.Context(), conv.ID)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, r.GetConversation())
			}
		}
		q := &inboxv1.ListConversationsRequest{
			Status:   inboxv1.Status(rapid.IntRange(0, 4).Draw(t, "status")),
			Assignee: rapid.SampledFrom([]string{"", "none", "ada"}).Draw(t, "assignee"),
			InboxId:  rapid.SampledFrom([]string{"", "support", "sales"}).Draw(t, "inbox"),
			PageSize: int32(rapid.IntRange(1, 5).Draw(t, "page")),
		}
		if rapid.Bool().Draw(t, "of one customer") {
			q.CustomerId = rapid.SampledFrom(s.Customers).Draw(t, "customer").ID
		}
		var want, got []string
		slices.SortFunc(all, func(a, b *inboxv1.Conversation) int {
			return cmp.Compare(b.GetLastAt().AsTime().UnixNano(), a.GetLastAt().AsTime().UnixNano())
		})
		for _, c := range all {
			if fits(q, c) {
				want = append(want, c.GetId())
			}
		}
		for {
			page, err := s.reader.ListConversations(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.GetConversations() {
				got = append(got, c.GetId())
			}
			if q.PageToken = page.GetNextPageToken(); q.PageToken == "" {
				break
			}
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Fatalf("listed (-fit +listed):\n%s", d)
		}
	})
}

func fits(q *inboxv1.ListConversationsRequest, c *inboxv1.Conversation) bool {
	assignee := c.GetAssignee()
	if assignee == "" {
		assignee = "none"
	}
	return (q.GetStatus() == 0 || q.GetStatus() == c.GetStatus()) && (q.GetAssignee() == "" || q.GetAssignee() == assignee) &&
		(q.GetInboxId() == "" || q.GetInboxId() == c.GetInboxId()) && (q.GetCustomerId() == "" || q.GetCustomerId() == c.GetCustomerId())
}

// Of everything that happened, a transcript holds messages and replies of its
// handle only: notes and activities cannot come out of it, nor other handles.
func TestTranscriptHoldsNothingInternal(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.Step(t)
		}
		s.catchUp(t)
		for _, c := range s.Customers {
			timeline, err := s.reader.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: c.ID, PageSize: 200, Alone: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range c.Handles {
				var want, got []string
				for _, e := range timeline.GetEntries() {
					if e.GetMessage() != nil && e.GetHandle().GetId() == h.ID {
						want = append(want, e.GetId())
					}
				}
				q := &channelv1.ListMessagesRequest{Kind: h.Address.Kind, Address: h.Address.Address, PageSize: 200}
				page, err := s.reader.Transcript(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.GetItems() {
					got = append(got, it.GetId())
					if strings.Contains(it.GetText(), "note") {
						t.Fatalf("a note came out: %v", it)
					}
				}
				if d := gocmp.Diff(want, got); d != "" {
					t.Fatalf("transcript (-timeline +transcript):\n%s", d)
				}
			}
		}
	})
}

// What was erased is shown as that, everywhere, and breaks nothing.
func TestErasedIsShownAsErased(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	s := newShelf(t, openStore(t), keys)
	s.Fill(t, 1)
	s.catchUp(t)
	c := s.Customers[0]
	conv := c.Conversations[0]
	err := keys.Destroy(t.Context(), event.UnitKey(conv.ID, c.Handles[0].ID, 1), event.CustomerKey(c.ID), event.AddressKey(c.Handles[0].ID, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, asOf := range []bool{false, true} {
		q := &inboxv1.GetTimelineRequest{CustomerId: c.ID}
		l, err := s.reader.GetTimeline(t.Context(), q)
		if asOf && err == nil {
			q.AsOf = l.GetAsOf()
			l, err = s.reader.GetTimeline(t.Context(), q)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.GetEntries() {
			if m := e.GetMessage(); m != nil && (m.GetText() != "" || m.GetFrom() != "" || m.GetOriginal() != "" || !slices.Contains(m.GetFlags(), view.FlagErased)) {
				t.Errorf("message %v", m)
			}
			if n := e.GetNote(); n != nil && n.GetText() != "" {
				t.Errorf("note %v", n)
			}
			if e.GetHandle().GetAddress() != "" {
				t.Errorf("address %v", e.GetHandle())
			}
		}
		row := l.GetConversations()[0]
		if row.GetPreview() != "" || row.GetSubject() != "" || row.GetCustomerName() != "Visitor" || l.GetCustomer().GetName() != "Visitor" {
			t.Errorf("row %v, customer %v", row, l.GetCustomer())
		}
	}
}
