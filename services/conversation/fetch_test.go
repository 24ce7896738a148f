package conversation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/testing/protocmp"
)

// A file the provider keeps is shown and downloaded like one that came along;
// erasure takes it.
func TestFetchedFileThereAndGone(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("m1", post{From: "ada@example.org", Text: "see these", Remote: []string{"%PDF-1.7 the file of ada", "gone"}})
	hit := eventually(t, "the message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "these"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()[0].GetEntry()
	files := hit.GetMessage().GetAttachments()
	want := []*inboxv1.Attachment{
		{Id: files[0].GetId(), Name: "remote.bin", ContentType: "application/pdf", Size: 24},
		{Name: "remote.bin", Missing: "the provider does not have it any more"},
	}
	if d := cmp.Diff(want, files, protocmp.Transform()); d != "" {
		t.Fatal(d)
	}
	if code, _, body := r.call("agent", "GET", "/attachments/"+files[0].GetId(), ""); code != 200 || body != "%PDF-1.7 the file of ada" {
		t.Fatalf("%d %q", code, body)
	}
	if r.files() != 1 {
		t.Fatalf("%d blobs, want 1", r.files())
	}
	r.erase(hit.GetCustomerId())
	if r.files() != 0 {
		t.Errorf("%d blobs are left after erasure", r.files())
	}
	// The provider gives it again: nothing of it is kept.
	r.deliver("m1", post{From: "ada@example.org", Text: "see these", Remote: []string{"%PDF-1.7 the file of ada"}})
	r.deliver("m2", post{From: "ada@example.org", Text: "anew"})
	eventually(t, "the next message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "anew"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	if r.files() != 0 {
		t.Errorf("%d blobs came back", r.files())
	}
	r.clean()
}

// A file can be here while its message is not: the next one of it cannot be
// had yet. When the sender is erased meanwhile, nothing names the file, and it goes.
func TestFileOfAMessageThatIsNotStoredIsErased(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("m0", post{From: "ada@example.org", Text: "first"})
	ada := eventually(t, "the message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "first"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()[0].GetEntry().GetCustomerId()
	r.deliver("m1", post{From: "ada@example.org", Text: "second", Remote: []string{"a file of ada", "later"}})
	r.deliver("m2", post{From: "bob@example.org", Text: "other", Remote: []string{"a file of bob", "later"}})
	eventually(t, "both files", func() (int, error) { return r.files(), nil }, func(n int) bool { return n == 2 })
	r.erase(ada)
	if n := r.files(); n != 1 {
		t.Errorf("%d files, want bob's alone", n)
	}
	r.clean()
}
