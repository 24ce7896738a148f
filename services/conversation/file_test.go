package conversation_test

import (
	"bytes"
	"image"
	pngs "image/png"
	"net/http"
	"strings"
	"testing"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// An input that the parser cannot read is shown as what it is, and harms nobody else.
func TestUnreadableInputIsShown(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("bad", post{From: "eve@example.org", Broken: true})
	r.met("good@example.org", "I am fine")
	c := eventually(t, "the placeholder", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(l *inboxv1.ListConversationsResponse) bool { return len(l.GetConversations()) == 2 })
	for _, row := range c.GetConversations() {
		if row.GetReplyTarget().GetHandle().GetAddress() == "good@example.org" {
			continue
		}
		l, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId()})
		if err != nil {
			t.Fatal(err)
		}
		m := l.GetEntries()[len(l.GetEntries())-1].GetMessage()
		if m.GetUnparsed() == "" || m.GetOriginal() == "" {
			t.Fatalf("placeholder %v", m)
		}
		status, h, body := r.call("agent", http.MethodGet, "/originals/"+m.GetOriginal(), "")
		if status != http.StatusOK || !strings.Contains(body, `"Broken":true`) || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
			t.Fatalf("original: %d %v %s", status, h, body)
		}
	}
}

func TestFilesAreHarmless(t *testing.T) {
	t.Parallel()
	r := start(t)
	var png bytes.Buffer
	if err := pngs.Encode(&png, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	r.deliver("files", post{From: "pia@example.org", Text: "see", Files: map[string][]byte{"broken.gif": []byte("GIF89a and so on"), "cat.png": png.Bytes(), "page.html": []byte("<html><script>alert(1)</script>")}})
	page := eventually(t, "the message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "see"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	files := page.GetHits()[0].GetEntry().GetMessage().GetAttachments()
	if len(files) != 3 {
		t.Fatalf("files %v", files)
	}
	for i, want := range []struct{ kind, disposition string }{
		{"application/octet-stream", `attachment; filename="broken.gif"; filename*=UTF-8''broken.gif`},
		{"image/png", `inline; filename="cat.png"; filename*=UTF-8''cat.png`},
		{"application/octet-stream", `attachment; filename="page.html"; filename*=UTF-8''page.html`},
	} {
		path := "/attachments/" + files[i].GetId()
		if status, _, _ := r.call("", http.MethodGet, path, ""); status != http.StatusUnauthorized {
			t.Fatalf("anonymous got %d", status)
		}
		status, h, _ := r.call("agent", http.MethodGet, path, "")
		if status != http.StatusOK || h.Get("Content-Type") != want.kind || h.Get("Content-Disposition") != want.disposition ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("file %d: %d %v", i, status, h)
		}
		if status, _, _ := r.call("agent", http.MethodGet, path[:len(path)-4]+"AAAA", ""); status != http.StatusNotFound {
			t.Errorf("forged id got %d", status)
		}
	}
}
