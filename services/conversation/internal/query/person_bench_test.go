//go:build unix

package query_test

import (
	"fmt"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/internal/crypt"
)

// crowd makes n customers, who say so many messages in turn, all together.
func crowd(b *testing.B, s *shelf, n, messages int) []*historytest.Customer {
	b.Helper()
	var out []*historytest.Customer
	for i := range n {
		out = append(out, s.Meet(b, channel.Address{Kind: "email", Address: s.ID("p") + "@example.org", Name: "Person"}, "a subject", fmt.Sprintf("hello %d", i)))
	}
	for i := range messages - n {
		c := out[i%n]
		s.Say(b, c, c.Conversations[0], c.Handles[0], "where is my parcel")
	}
	return out
}

func page(b *testing.B, s *shelf, q *inboxv1.GetTimelineRequest) {
	b.Helper()
	out, err := s.reader.GetTimeline(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	if len(out.GetEntries()) != 50 {
		b.Fatalf("%d entries", len(out.GetEntries()))
	}
}

// BenchmarkTimelinePerson opens the first page, 50 entries, of a person of one
// and of 50 customers who wrote in turn, with 5,000 messages together: again and
// again, and as if for the first time, with no document and no key in memory. The
// aim is within three times.
func BenchmarkTimelinePerson(b *testing.B) {
	for _, n := range []int{1, 2, 10, 50} {
		table := openStore(b)
		keys := openRing(b, table)
		s := newShelf(b, openStore(b), keys)
		all := crowd(b, s, n, 5_000)
		for _, c := range all[1:] {
			s.Link(b, all[0], c)
		}
		for i := range 100 { // the newest page is of messages, not of links
			c := all[i%n]
			s.Say(b, c, c.Conversations[0], c.Handles[0], "thanks")
		}
		s.catchUp(b)
		q := &inboxv1.GetTimelineRequest{CustomerId: all[0].ID}
		read := func(b *testing.B) func() { return func() { page(b, s, q) } }
		b.Run(fmt.Sprintf("%d/again", n), func(b *testing.B) {
			metered(b, func() {}, read(b))
		})
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			metered(b, func() { s.reader = s.afresh(b, openRing(b, table)) }, read(b))
		})
	}
}

// BenchmarkMerge reads the first page of one of two customers with 10,000
// messages each: alone, merged (one event), and parted again (one event).
func BenchmarkMerge(b *testing.B) {
	s := newShelf(b, openStore(b), crypt.NewMemory())
	two := crowd(b, s, 2, 20_000)
	s.catchUp(b)
	q := &inboxv1.GetTimelineRequest{CustomerId: two[0].ID}
	read := func(b *testing.B) {
		for b.Loop() {
			page(b, s, q)
		}
	}
	b.Run("before", read)
	l := s.Link(b, two[0], two[1])
	s.catchUp(b)
	b.Run("merged", read)
	s.Unlink(b, l)
	s.catchUp(b)
	b.Run("unmerged", read)
}
