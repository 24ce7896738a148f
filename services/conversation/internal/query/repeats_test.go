package query_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/protobuf/testing/protocmp"
)

// The figures of a person are those of his customers together, those of a day
// everybody's; a join counts while it stands.
func TestRepeats(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, phone := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	s.Reply(t, a, a.Conversations[0], "ada", "on its way")
	s.Open(t, a, a.Handles[0], "", "RE: about ann", "", "")    // the same subject
	other := s.Open(t, a, a.Handles[0], "", "invoice", "", "") // another matter
	s.Say(t, a, a.Conversations[0], a.Handles[0], "and?")
	s.Say(t, a, a.Conversations[0], phone, "I called")
	s.Reply(t, a, a.Conversations[0], "bob", "who is it about?")
	l := s.Link(t, a, b)
	s.catchUp(t)
	check := func(name, customer string, want *identityv1.Repeats) {
		t.Helper()
		got, err := s.reader.Repeats(t.Context(), customer)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	want := &identityv1.Repeats{Total: 3, NewConversation: 1, NewChannel: 1, NewAgent: 1, Conversations: 4}
	check("both", b.ID, want)
	sum, days, err := s.reader.RepeatDays(t.Context(), 2, s.Now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, sum, protocmp.Transform()); d != "" {
		t.Errorf("everybody (-want +got):\n%s", d)
	}
	if len(days) != 2 || days[0].GetDay() != "2026-11-02" || days[0].GetRepeats().GetTotal() != 3 || days[1].GetRepeats().GetConversations() != 0 {
		t.Errorf("days %v", days)
	}
	s.Unlink(t, l)
	j := s.Join(t, a, a.Conversations[0], a, other)
	s.catchUp(t)
	check("ben alone", b.ID, &identityv1.Repeats{Conversations: 1})
	check("joined", a.ID, &identityv1.Repeats{Total: 4, NewConversation: 2, NewChannel: 1, NewAgent: 1, Conversations: 3})
	s.Unjoin(t, j)
	s.catchUp(t)
	check("parted", a.ID, &identityv1.Repeats{Total: 3, NewConversation: 1, NewChannel: 1, NewAgent: 1, Conversations: 3})
	if _, err := s.reader.Repeats(t.Context(), "nobody"); !errors.Is(err, query.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if _, _, err := s.reader.RepeatDays(t.Context(), 367, s.Now); err == nil {
		t.Error("367 days are counted")
	}
}
