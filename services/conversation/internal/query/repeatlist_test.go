package query_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// Everything counted is in the list with who and about what, what an agent's
// join makes count while it stands.
func TestListRepeats(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, phone := meet(t, s, "ann")
	parcel := a.Conversations[0]
	s.Reply(t, a, parcel, "ada", "on its way")
	again := s.Open(t, a, a.Handles[0], "", "RE: about ann", "", "")
	other := s.Open(t, a, a.Handles[0], "", "invoice", "", "")
	s.Say(t, a, parcel, a.Handles[0], "and?")
	call := s.Say(t, a, parcel, phone, "I called")
	bob, _ := s.Reply(t, a, parcel, "bob", "who is it about?")
	j := s.Join(t, a, parcel, a, other)
	s.catchUp(t)
	want := []*identityv1.Repeat{
		{Kind: "new_agent", ConversationId: parcel.ID, Subject: "about ann", EntryId: bob},
		{Kind: "new_channel", ConversationId: parcel.ID, Subject: "about ann", EntryId: strings.TrimPrefix(call.ID, "msg:")},
		{Kind: "new_conversation", ConversationId: other.ID, Subject: "invoice", EarlierConversationIds: []string{parcel.ID}, Joined: true},
		{Kind: "new_conversation", ConversationId: again.ID, Subject: "RE: about ann", EarlierConversationIds: []string{parcel.ID}},
	}
	for _, w := range want {
		w.CustomerId, w.CustomerName = a.ID, "ann"
	}
	check := func(name string, q *identityv1.ListRepeatsRequest, want []*identityv1.Repeat) {
		t.Helper()
		got, err := s.reader.ListRepeats(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range got.GetRepeats() {
			if at := r.GetAt().AsTime(); at.Year() != 2026 || i > 0 && at.After(got.GetRepeats()[i-1].GetAt().AsTime()) {
				t.Errorf("%s: number %d is of %s", name, i, at)
			}
		}
		if d := cmp.Diff(want, got.GetRepeats(), protocmp.Transform(), protocmp.IgnoreFields(&identityv1.Repeat{}, "at")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	check("all", &identityv1.ListRepeatsRequest{}, want)
	check("one kind", &identityv1.ListRepeatsRequest{Kind: "new_conversation"}, want[2:])
	s.Unjoin(t, j)
	s.catchUp(t)
	check("parted", &identityv1.ListRepeatsRequest{Kind: "new_conversation"}, want[3:])
	for _, q := range []*identityv1.ListRepeatsRequest{{Kind: "conversation"}, {PageSize: 201}, {PageToken: "!"}} {
		if _, err := s.reader.ListRepeats(t.Context(), q); !isFieldError(err) {
			t.Errorf("%v: %v", q, err)
		}
	}
}

func isFieldError(err error) bool {
	_, ok := errors.AsType[*query.FieldError](err)
	return ok
}

// Whatever happened, the list has as many of each kind as the figures say, in
// pages of any size, each once, newest first.
func TestTheListIsWhatIsCounted(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			s.Step(t)
		}
		ann, _ := meet(t, s, "ann") // one repeat at least
		s.Open(t, ann, ann.Handles[0], "", "RE: about ann", "", "")
		s.catchUp(t)
		sum, _, err := s.reader.RepeatDays(t.Context(), query.MaxDays, s.Now.Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		q := &identityv1.ListRepeatsRequest{PageSize: int32(rapid.IntRange(1, 7).Draw(t, "page"))}
		have := &identityv1.Repeats{Conversations: sum.GetConversations()}
		var seen []string
		var last time.Time
		for {
			page, err := s.reader.ListRepeats(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.GetRepeats() {
				id := r.GetKind() + r.GetConversationId() + r.GetEntryId()
				if slices.Contains(seen, id) || !last.IsZero() && r.GetAt().AsTime().After(last) {
					t.Fatalf("%v is there twice, or not in order", r)
				}
				seen, last = append(seen, id), r.GetAt().AsTime()
				switch r.GetKind() {
				case "new_conversation":
					have.NewConversation++
				case "new_channel":
					have.NewChannel++
				case "new_agent":
					have.NewAgent++
				}
				have.Total++
			}
			if q.PageToken = page.GetNextPageToken(); q.PageToken == "" {
				break
			}
		}
		if d := cmp.Diff(sum, have, protocmp.Transform()); d != "" {
			t.Fatalf("(-counted +listed):\n%s", d)
		}
		if len(seen) == 0 {
			t.Error("no repeat is listed")
		}
	})
}
