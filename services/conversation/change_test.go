package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// read is a timeline's messages and changes, as an agent reads them.
func read(entries []*inboxv1.TimelineEntry) (out []string) {
	for _, e := range entries {
		m := e.GetMessage()
		if c := e.GetChange(); c != nil {
			out = append(out, strings.TrimSpace(c.GetAction()+": "+c.GetMessage().GetText()+c.GetEmoji()))
		}
		if m == nil {
			continue
		}
		line := m.GetText()
		for _, v := range m.GetEarlier() {
			line += " <" + v.GetText()
		}
		for _, x := range m.GetReactions() {
			line += " " + x.GetEmoji()
		}
		if m.GetEditedAt() != nil {
			line += " (edited)"
		}
		if m.GetDeletedAt() != nil {
			line += " (deleted)"
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// reads waits until a timeline reads so.
func (r *rig) reads(customer string, want ...string) *inboxv1.GetTimelineResponse {
	r.t.Helper()
	last := ""
	return eventually(r.t, fmt.Sprintf("%q", want), func() (*inboxv1.GetTimelineResponse, error) {
		return r.inbox.GetTimeline(r.t.Context(), &inboxv1.GetTimelineRequest{CustomerId: customer})
	}, func(l *inboxv1.GetTimelineResponse) bool {
		got := read(l.GetEntries())
		if now := fmt.Sprintf("%q", got); now != last {
			last = now
			r.t.Log(now)
		}
		return cmp.Equal(want, got)
	})
}

func (r *rig) finds(words string) (ids []string) {
	r.t.Helper()
	s, err := r.inbox.Search(r.t.Context(), &inboxv1.SearchRequest{Query: words})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range s.GetHits() {
		ids = append(ids, h.GetEntry().GetId())
	}
	return ids
}

const ada = "ada@example.org"

func edit(target, text string, at time.Duration) post {
	return post{From: ada, Action: "edited", Target: target, Text: text, At: at}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met(ada, "teh first")
	before := r.reads(row.GetCustomerId(), "teh first")
	r.deliver("e2", edit("first-"+ada, "the second", 2*time.Minute))
	r.deliver("e2", edit("first-"+ada, "the second", 2*time.Minute))
	r.reads(row.GetCustomerId(), "the second <teh first (edited)")
	// An older edit that comes later is kept, and does not win.
	r.deliver("e1", edit("first-"+ada, "the former", time.Minute))
	after := r.reads(row.GetCustomerId(), "the second <teh first <the former (edited)")
	for words, want := range map[string]int{"teh": 0, "former": 0, "second": 1} {
		ids := r.finds(words)
		if len(ids) != want || want == 1 && ids[0] != before.GetEntries()[2].GetId() {
			t.Errorf("%q is found as %v", words, ids)
		}
	}
	if c := after.GetConversations()[0]; c.GetPreview() != "the second" || c.GetMessages() != 1 {
		t.Errorf("row %v", c)
	}
	// As it was, it is.
	then, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId(), AsOf: before.GetAsOf()})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"teh first"}, read(then.GetEntries())); d != "" {
		t.Error(d)
	}
	after = r.reads(row.GetCustomerId(), "the second <teh first <the former (edited)") // the cursor is not younger than what is shown
	now, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId(), AsOf: after.GetAsOf()})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(read(after.GetEntries()), read(now.GetEntries())); d != "" {
		t.Error(d)
	}
	r.clean()
}

// A change may come before its message; only his own messages are a sender's to change.
func TestChangeBeforeItsMessageAndOfOthers(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met("bob@example.org", "bob was here")
	r.deliver("e1", edit("m1", "hello", 0))
	r.deliver("e2", edit("first-bob@example.org", "bob was robbed", 0))
	weak := edit("m1", "forged", time.Hour)
	weak.Assurance = 1
	r.deliver("e3", weak)
	hit := eventually(t, "the last change", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "forged"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()[0].GetEntry()
	her := hit.GetCustomerId()
	r.reads(her, "edited: hello", "edited: bob was robbed", "edited: forged")
	r.deliver("m1", post{From: ada, Text: "hallo"})
	r.deliver("e1", edit("m1", "hello", 0))
	r.reads(her, "edited: bob was robbed", "edited: forged", "hello <hallo (edited)")
	r.reads(row.GetCustomerId(), "bob was here")
	if ids := r.finds("hallo"); len(ids) != 0 {
		t.Errorf("what was replaced is found: %v", ids)
	}
	r.clean()
	if _, err := r.svc.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r.reads(her, "edited: bob was robbed", "edited: forged", "hello <hallo (edited)")
}

func TestDeletions(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met(ada, "my secret")
	r.deliver("e1", edit("first-"+ada, "my other secret", 0))
	r.deliver("d1", post{From: ada, Action: "deleted", Target: "first-" + ada, At: time.Minute})
	r.deliver("e2", edit("first-"+ada, "third secret", 2*time.Minute)) // it stays deleted
	r.reads(row.GetCustomerId(), "<my secret <my other secret <third secret (edited) (deleted)")
	if ids := r.finds("secret"); len(ids) != 0 {
		t.Errorf("deleted words are found: %v", ids)
	}
	// A page reads its rows before its entries: the row may be one change older.
	eventually(t, "the preview to be empty", func() (*inboxv1.GetTimelineResponse, error) {
		return r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId()})
	}, func(l *inboxv1.GetTimelineResponse) bool { return l.GetConversations()[0].GetPreview() == "" })
	r.clean()
}

func TestAForgetfulInboxKeepsNothingDeleted(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliverTo("forgetful", "d1", post{From: ada, Action: "deleted", Target: "m1", At: time.Minute})
	r.deliverTo("forgetful", "m1", post{From: ada, Text: "my secret"})
	r.deliverTo("forgetful", "e1", edit("m1", "my other secret", 0))
	r.deliverTo("forgetful", "m2", post{From: ada, Text: "something else"})
	hit := eventually(t, "the next message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "something"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()[0]
	l := r.reads(hit.GetEntry().GetCustomerId(), "(edited) (deleted)", "something else")
	for _, e := range l.GetEntries() {
		if m := e.GetMessage(); m.GetDeletedAt() != nil && (m.GetOriginal() != "" || len(m.GetEarlier()) > 0) {
			t.Errorf("kept %v", m)
		}
	}
	if ids := r.finds("secret"); len(ids) != 0 {
		t.Errorf("deleted words are found: %v", ids)
	}
	r.clean()
}

func TestReactions(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met(ada, "hello")
	sent, err := r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: row.GetId(), Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	react := func(id, action, target, emoji string, at time.Duration) {
		r.deliver(id, post{From: ada, Action: action, Target: target, Emoji: emoji, At: at})
	}
	react("r1", "reacted", "out-1", "👍", 0)
	react("r2", "reacted", "out-1", "🎉", time.Minute)
	react("r3", "reacted", "first-"+ada, "😀", time.Minute)
	r.reads(row.GetCustomerId(), "hello 😀", "hi", "reacted: 👍", "reacted: 🎉")
	err = r.intake.Report(t.Context(), channel.Receipt{
		Channel: "email", Inbox: "support", Outbound: sent.GetEntry().GetId(), Customer: row.GetCustomerId(),
		State: channel.StateSent, ProviderID: "out-1", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.reads(row.GetCustomerId(), "hello 😀", "hi 🎉")
	react("r4", "unreacted", "out-1", "👍", 2*time.Minute) // not the one he has
	react("r5", "unreacted", "first-"+ada, "", 2*time.Minute)
	r.reads(row.GetCustomerId(), "hello", "hi 🎉")
	r.clean()
}

// The handle moves with what was said over it; its changes go along, those that
// come later find it, and an erasure leaves none of them.
func TestChangesMoveAndAreErased(t *testing.T) {
	t.Parallel()
	r := start(t)
	from, to := r.met(ada, "first words"), r.met("bob@example.org", "bob stays")
	r.deliver("e1", edit("first-"+ada, "edited before", time.Second))
	r.reads(from.GetCustomerId(), "edited before <first words (edited)")
	h := from.GetReplyTarget().GetHandle()
	r.move(h.GetId(), h.GetTenure(), from.GetCustomerId(), to.GetCustomerId(), time.Now().Add(-time.Hour))
	r.deliver("e2", edit("first-"+ada, "edited after", time.Minute))
	r.deliver("e1", edit("first-"+ada, "edited before", time.Second)) // again: his who had it
	r.reads(to.GetCustomerId(), "edited after <first words <edited before (edited)", "bob stays")
	r.reads(from.GetCustomerId())
	if ids := r.finds("before"); len(ids) != 0 {
		t.Errorf("an older version is found: %v", ids)
	}
	if ids := r.finds("after"); len(ids) != 1 {
		t.Errorf("the newest version is found as %v", ids)
	}
	r.clean()
	units := map[string]bool{}
	for p := range r.events.Partitions() {
		for _, e := range eventsOf[event.MessageChanged](r, p) {
			units[e.Unit] = true
		}
	}
	if len(units) != 2 {
		t.Fatalf("%d changes are stored, want 2", len(units))
	}
	r.erase(to.GetCustomerId())
	for u := range units {
		if gone, err := r.keys.Destroyed(t.Context(), u); err != nil || !gone {
			t.Errorf("the key of a change lives: %v", err)
		}
	}
	for _, words := range []string{"words", "before", "after"} {
		if ids := r.finds(words); len(ids) != 0 {
			t.Errorf("%q is found after the erasure: %v", words, ids)
		}
	}
	r.clean()
}

// eventsOf are the events of a type in a partition.
func eventsOf[E event.Event](r *rig, partition int) (out []E) {
	r.t.Helper()
	commits, err := r.events.Read(r.t.Context(), partition, 1, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range commits {
		decoded, err := codec.Decode(c)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range decoded {
			if e, ok := e.(E); ok {
				out = append(out, e)
			}
		}
	}
	return out
}
