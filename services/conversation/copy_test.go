package conversation_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation"
)

// A mail that a mailbox gives again under another id, long after the intake has
// forgotten the first: one message and one original, whose files are there.
// Retention and erasure take them, and nothing readable is left.
func TestWhatComesTwiceIsKeptOnce(t *testing.T) {
	t.Parallel()
	var ahead time.Duration
	r := startWith(t, conversation.Config{BulkRead: 100, Now: func() time.Time { return time.Now().Add(ahead) }},
		conversation.Erasure{Policies: []conversation.RetentionPolicy{{Inbox: "support", Days: 30}}})
	picture := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("picture "), 50_000)...) // larger than what is kept inline
	twice := func(from string) *inboxv1.Message {
		p := post{From: from, Text: "see the cat", ID: "cat-of-" + from, Files: map[string][]byte{"cat.png": picture}}
		r.deliver("INBOX/1/"+from, p)
		r.deliver("INBOX/2/"+from, p)
		r.deliver("INBOX/2/after/"+from, post{From: from, Text: "after both"})
		list := eventually(t, "what came after both", func() (*inboxv1.SearchResponse, error) {
			return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "after both"})
		}, func(s *inboxv1.SearchResponse) bool {
			return slices.ContainsFunc(s.GetHits(), func(h *inboxv1.SearchResponse_Hit) bool { return h.GetEntry().GetMessage().GetFrom() == from })
		})
		i := slices.IndexFunc(list.GetHits(), func(h *inboxv1.SearchResponse_Hit) bool { return h.GetEntry().GetMessage().GetFrom() == from })
		tl, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: list.GetHits()[i].GetEntry().GetCustomerId()})
		if err != nil {
			t.Fatal(err)
		}
		var of []*inboxv1.Message
		for _, e := range tl.GetEntries() {
			if m := e.GetMessage(); m.GetText() == p.Text {
				of = append(of, m)
			}
		}
		if len(of) != 1 {
			t.Fatalf("%d messages of %s, want 1", len(of), from)
		}
		return of[0]
	}
	ada, bob := twice("ada@example.org"), twice("bob@example.org")
	if n, files := r.inInput(), r.files(); n != 4 || files != 2 {
		t.Fatalf("%d originals and %d files are kept of two mails each", n, files)
	}
	for _, m := range []*inboxv1.Message{ada, bob} {
		status, _, data := r.call("agent", http.MethodGet, "/attachments/"+m.GetAttachments()[0].GetId(), "")
		if status != http.StatusOK || data != string(picture) {
			t.Errorf("the picture: %d, %d bytes", status, len(data))
		}
		if status, _, data := r.call("agent", http.MethodGet, "/originals/"+m.GetOriginal(), ""); status != http.StatusOK || !strings.Contains(data, "see the cat") {
			t.Errorf("the original: %d, %d bytes", status, len(data))
		}
	}

	l, err := r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.GetConversations() {
		switch c.GetReplyTarget().GetHandle().GetAddress() {
		case "ada@example.org":
			if _, err := r.inbox.SetStatus(t.Context(), &inboxv1.SetStatusRequest{ConversationId: c.GetId(), Status: inboxv1.Status_STATUS_CLOSED}); err != nil {
				t.Fatal(err)
			}
		case "bob@example.org":
			r.erase(c.GetCustomerId())
		}
	}
	if n, files := r.inInput(), r.files(); n != 2 || files != 1 {
		t.Errorf("%d originals and %d files are left, want ada's", n, files)
	}
	ahead = 31 * 24 * time.Hour
	if ran, err := r.svc.Retain(t.Context()); err != nil || ran[0].Conversations != 1 {
		t.Fatalf("run: %v %v", ran, err)
	}
	if n, files := r.inInput(), r.files(); n != 0 || files != 0 {
		t.Errorf("%d originals and %d files outlive their conversation", n, files)
	}
	// After the end of what it is a copy of, nothing of it is kept either.
	r.deliver("INBOX/3", post{From: "ada@example.org", Text: "see the cat", ID: "cat-of-ada@example.org", Files: map[string][]byte{"cat.png": picture}})
	r.deliver("INBOX/4", post{From: "ada@example.org", Text: "at last"})
	eventually(t, "the last", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "at last"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	if n, files := r.inInput(), r.files(); n != 1 || files != 0 {
		t.Errorf("%d originals and %d files, want that of the last", n, files)
	}
	r.clean()
}
