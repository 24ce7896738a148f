package conversation_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// inInput counts the originals that are kept.
func (r *rig) inInput() (n uint64) {
	r.t.Helper()
	for p := range 4 {
		s, err := r.bus.JS.Stream(r.t.Context(), fmt.Sprintf("IN-%d", p))
		if err != nil {
			r.t.Fatal(err)
		}
		n += s.CachedInfo().State.Msgs
	}
	return n
}

// A card is masked before anything is stored; its original goes, its files stay.
func TestMaskedWhereTheInboxAsks(t *testing.T) {
	t.Parallel()
	r := start(t)
	picture := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("picture "), 50_000)...) // larger than what is kept inline
	p := post{
		From: "grace@example.org", Name: "Grace", Subject: "Card 4111 1111 1111 1111", Text: "charge 4111-1111-1111-1111, CVV 123",
		Files: map[string][]byte{"cat.png": picture, "page.html": []byte("token ghp_" + strings.Repeat("a1", 18))},
	}
	r.deliverTo("masking", "m1", p)
	p.From = "joan@example.org"
	r.deliver("m2", p) // this inbox does not ask for it

	list := eventually(t, "both", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(l *inboxv1.ListConversationsResponse) bool { return len(l.GetConversations()) == 2 })
	entry := func(from string) (*inboxv1.Conversation, *inboxv1.Message) {
		i := slices.IndexFunc(list.GetConversations(), func(c *inboxv1.Conversation) bool {
			return c.GetReplyTarget().GetHandle().GetAddress() == from
		})
		c := list.GetConversations()[i]
		tl, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: c.GetCustomerId()})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range tl.GetEntries() {
			if e.GetMessage() != nil {
				return c, e.GetMessage()
			}
		}
		t.Fatal("no message")
		return nil, nil
	}

	c, m := entry("grace@example.org")
	if c.GetSubject() != "Card 411111xxxxxx1111" || c.GetPreview() != "charge 411111xxxxxx1111, CVV xxx" || m.GetText() != "charge 411111xxxxxx1111, CVV xxx" {
		t.Errorf("stored %q, %q, %q", c.GetSubject(), c.GetPreview(), m.GetText())
	}
	if !slices.Contains(m.GetFlags(), "masked") {
		t.Errorf("flags %v", m.GetFlags())
	}
	eventually(t, "the end of the original", func() (uint64, error) { return r.inInput(), nil }, func(n uint64) bool { return n == 1 })
	status, _, text := r.call("agent", http.MethodGet, "/originals/"+m.GetOriginal(), "")
	if status != http.StatusGone || !strings.Contains(text, "original was removed") {
		t.Errorf("original: %d %q", status, text)
	}
	want := map[string]string{"cat.png": string(picture), "page.html": "token [masked GitHub token]"}
	for _, a := range m.GetAttachments() {
		status, _, data := r.call("agent", http.MethodGet, "/attachments/"+a.GetId(), "")
		if status != http.StatusOK || data != want[a.GetName()] || int(a.GetSize()) != len(data) {
			t.Errorf("%s of %d bytes: %d, %d bytes", a.GetName(), a.GetSize(), status, len(data))
		}
		delete(want, a.GetName())
	}
	if len(want) > 0 {
		t.Errorf("files %v are missing", want)
	}

	_, m = entry("joan@example.org")
	if m.GetText() != p.Text || slices.Contains(m.GetFlags(), "masked") {
		t.Errorf("the other inbox: %q, %v", m.GetText(), m.GetFlags())
	}
	if status, _, _ := r.call("agent", http.MethodGet, "/originals/"+m.GetOriginal(), ""); status != http.StatusOK {
		t.Errorf("the other inbox's original: %d", status)
	}
}
