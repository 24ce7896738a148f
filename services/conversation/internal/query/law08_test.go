package query_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"
)

// What a timeline showed at some moment it shows again for that moment, by
// cursor and by time, whatever happened since: two ways of folding (projected
// then, from the stream now) agree on every field.
func TestLaw08AsOf(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		s.Crowd(t, 2)
		type moment struct {
			shown *inboxv1.GetTimelineResponse
			at    time.Time
		}
		var seen []moment
		for range rapid.IntRange(1, 6).Draw(t, "moments") {
			for range rapid.IntRange(1, 8).Draw(t, "steps") {
				rapid.SampledFrom([]func(*rapid.T){s.Step, s.StepIdentity}).Draw(t, "kind of step")(t)
			}
			s.catchUp(t)
			c := rapid.SampledFrom(s.Customers).Draw(t, "customer shown")
			shown, err := s.reader.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: c.ID, PageSize: 200})
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, moment{shown, s.Now})
		}
		for _, m := range seen {
			id := m.shown.GetCustomer().GetId()
			byCursor, err := s.reader.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: id, PageSize: 200, AsOf: m.shown.GetAsOf()})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(m.shown, byCursor, protocmp.Transform()); d != "" {
				t.Fatalf("by cursor (-then +now):\n%s", d)
			}
			byTime, err := s.reader.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: id, PageSize: 200, AsOfTime: timestamppb.New(m.at)})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(m.shown, byTime, protocmp.Transform(), protocmp.IgnoreFields(&inboxv1.GetTimelineResponse{}, "as_of")); d != "" {
				t.Fatalf("by time (-then +now):\n%s", d)
			}
		}
	})
}

// Pages backwards from any moment are the whole timeline, once, in order.
func TestTimelinePages(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.Step(t)
		}
		s.catchUp(t)
		c := rapid.SampledFrom(s.Customers).Draw(t, "customer shown")
		q := &inboxv1.GetTimelineRequest{CustomerId: c.ID, PageSize: 200}
		whole, err := s.reader.GetTimeline(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "as of") {
			q.AsOf = whole.GetAsOf()
		}
		q.PageSize = int32(rapid.IntRange(1, 7).Draw(t, "page"))
		var got []*inboxv1.TimelineEntry
		for {
			page, err := s.reader.GetTimeline(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(page.GetEntries(), got...)
			if q.PageToken = page.GetNextPageToken(); q.PageToken == "" {
				break
			}
		}
		if d := cmp.Diff(whole.GetEntries(), got, protocmp.Transform()); d != "" {
			t.Fatalf("pages (-whole +pages):\n%s", d)
		}
		for i := 1; i < len(got); i++ {
			if got[i].GetPosition() <= got[i-1].GetPosition() {
				t.Fatalf("entry %d is not after the one before it", i)
			}
		}
	})
}
