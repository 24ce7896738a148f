package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// notHeld are mails that this test's IMAP server cannot give out again, because
// it reads their heads itself (go-imap's memory server). services/email's
// TestTorture reads them like all others.
var notHeld = []string{"header_none.eml", "header_mbox_line.eml", "header_line_without_colon.eml"}

// Every mail of the torture set becomes an entry that is visible, with its original byte
// for byte; those behind it arrive.
func TestTortureThroughAHub(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../email/testdata/torture/*.eml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d mails (%v)", len(files), err)
	}
	s := newShop(t, nil)
	want := map[[32]byte]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(notHeld, filepath.Base(f)) {
			continue
		}
		if err := s.box.Deliver(b); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		// A mailbox knows lines that end with CRLF alone.
		b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		want[sha256.Sum256(b)] = filepath.Base(f)
	}
	if len(want) != len(files)-len(notHeld) {
		t.Fatalf("%d different mails of %d", len(want), len(files)-len(notHeld))
	}
	if err := s.box.Deliver([]byte("From: Last <last@example.org>\nTo: support@shop.test\nSubject: Last\nMessage-ID: <last@example.org>\n\nI am behind all of them.\n")); err != nil {
		t.Fatal(err)
	}
	s.sees("last@example.org", false, "1 email Last: I am behind all of them.")

	seen := map[string]bool{} // originals that were looked at
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for len(want) > 0 {
		if err := s.findOriginals(ctx, seen, want); err != nil && ctx.Err() == nil {
			s.fatalf("%v", err)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			var missing []string
			for _, name := range want {
				missing = append(missing, name)
			}
			s.fatalf("%d mails are not to be seen: %v", len(missing), missing)
		}
	}
}

// findOriginals takes out of want what the timelines of all customers show, by the bytes of their originals.
func (s *shop) findOriginals(ctx context.Context, seen map[string]bool, want map[[32]byte]string) error {
	var list inboxv1.ListConversationsResponse
	if err := s.ask(ctx, "ListConversations", []byte(`{"pageSize":200}`), &list); err != nil {
		return err
	}
	customers := map[string]bool{}
	for _, c := range list.GetConversations() {
		customers[c.GetCustomerId()] = true
	}
	for id := range customers {
		var page inboxv1.GetTimelineResponse
		if err := s.ask(ctx, "GetTimeline", fmt.Appendf(nil, `{"customerId":%q,"pageSize":200,"kinds":["message"]}`, id), &page); err != nil {
			return err
		}
		for _, e := range page.GetEntries() {
			m := e.GetMessage()
			if m.GetOriginal() == "" || seen[m.GetOriginal()] {
				continue
			}
			status, b, err := s.callers[""].Get(ctx, s.url+"/originals/"+m.GetOriginal())
			if err != nil || status != http.StatusOK {
				return fmt.Errorf("original of %s: %d %w", e.GetId(), status, err)
			}
			seen[m.GetOriginal()] = true
			// It has something to show: a text, a page, files, or the reason why there is none.
			if m.GetText() == "" && m.GetHtml() == "" && m.GetQuoted() == "" && m.GetUnparsed() == "" && m.GetSubject() == "" && len(m.GetAttachments()) == 0 {
				return fmt.Errorf("entry %s of %.100q shows nothing", e.GetId(), b)
			}
			if name := want[sha256.Sum256(b)]; (name == "nest_33.eml" || name == "header_too_large.eml") && (m.GetUnparsed() == "" || !bytes.Contains(b, []byte("Message-ID"))) {
				return fmt.Errorf("%s is not shown as unread: %v", name, m)
			}
			if strings.Contains(strings.ToLower(m.GetHtml()), "<script") {
				return fmt.Errorf("entry %s has a script", e.GetId())
			}
			delete(want, sha256.Sum256(b))
		}
	}
	return nil
}
