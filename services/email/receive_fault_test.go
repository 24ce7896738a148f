package email_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
)

// TestThrottledMailboxLosesNothing: a server that finds too much asked of it says
// nothing about a mail, however often; no mail becomes a note.
func TestThrottledMailboxLosesNothing(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, want := numbers(1, 3)
	office.deliver("INBOX", mails...)
	for i := range 24 {
		office.throttle = append(office.throttle, []*imap.Error{
			{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeLimit, Text: "too many requests"},
			{Type: imap.StatusResponseTypeNo, Code: "THROTTLED", Text: "later"},
			{Type: imap.StatusResponseTypeBad, Text: "Request is throttled. Suggested Backoff Time: 100 milliseconds"},
			{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeInUse, Text: "locked"},
		}[i%4])
	}
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "the mails", func() bool { return len(w.hub.all()) >= 3 && w.book.Health("support").State == "ok" })
	if diff := cmp.Diff(want, w.hub.subjects(t)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// TestRestoredMailboxLosesNothing: the mailbox is set back to an older copy, and
// gives out UIDs again that it had given out: what comes under them are other mails.
func TestRestoredMailboxLosesNothing(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.pinned = 7
	mails, _ := numbers(1, 5)
	office.deliver("INBOX", mails...)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	stop := w.run(t, w.svc)
	eventually(t, "5 mails", func() bool { return len(w.hub.all()) == 5 && w.book.Health("support").State == "ok" })
	stop()
	office.renew("INBOX")
	office.deliver("INBOX", mailNo(1), mailNo(2), mailNo(6), mailNo(7)) // UIDs 1 to 4
	stop = w.run(t, w.service(t))
	eventually(t, "the new ones", func() bool { return len(w.hub.all()) >= 9 && w.book.Health("support").State == "ok" })
	stop()
	office.deliver("INBOX", mailNo(8), mailNo(9)) // UIDs 5 and 6
	stop = w.run(t, w.service(t))
	eventually(t, "the newest", func() bool { return len(w.hub.all()) >= 11 })
	stop()
	messages, providers := map[string]bool{}, map[string]bool{}
	for _, r := range w.hub.all() {
		items, err := testParser().Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		messages[items[0].Message.ID] = true
		providers[r.ProviderID] = true
	}
	if len(messages) != 9 || len(providers) != len(w.hub.all()) || len(w.hub.all()) != 11 {
		t.Errorf("%d messages of %d inputs with %d ids, want 9 of 11 with 11", len(messages), len(w.hub.all()), len(providers))
	}
}

// TestDeletedMailsAndGapsAreNoObstacle: mails that another program deletes before they were taken in.
func TestDeletedMailsAndGapsAreNoObstacle(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, _ := numbers(1, 6)
	office.deliver("INBOX", mails...)
	remove := func(uids ...imap.UID) {
		t.Helper()
		c, err := imapclient.DialInsecure(office.l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login("support", "secret").Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Select("INBOX", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if err := c.Store(imap.UIDSetNum(uids...), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
			t.Fatal(err)
		}
		if err := c.Expunge().Close(); err != nil {
			t.Fatal(err)
		}
	}
	remove(1, 3, 6)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	stop := w.run(t, w.svc)
	eventually(t, "what is left", func() bool { return len(w.hub.all()) == 3 && w.book.Health("support").State == "ok" })
	stop()
	office.deliver("INBOX", mailNo(7), mailNo(8), mailNo(9))
	remove(2, 4, 5, 7, 9)
	w.run(t, w.service(t))
	eventually(t, "the one that is left", func() bool { return len(w.hub.all()) == 4 })
	if diff := cmp.Diff([]string{"mail 2", "mail 4", "mail 5", "mail 8"}, w.hub.subjects(t)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// TestTwoProcessesOnOneMailbox read it both, under the same ids: to the hub, which keeps
// what has the same id once, it is the same.
func TestTwoProcessesOnOneMailbox(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, want := numbers(1, 20)
	office.deliver("INBOX", mails...)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	first, second := w.run(t, w.svc), w.run(t, w.service(t))
	eventually(t, "the mails", func() bool { return len(w.hub.all()) >= 20 && w.book.Health("support").State == "ok" })
	office.deliver("INBOX", mailNo(21))
	eventually(t, "the new mail", func() bool { return slices.Contains(w.hub.subjects(t), "mail 21") })
	first()
	second()
	once := map[string]string{}
	for i, r := range w.hub.all() {
		subject := w.hub.subjects(t)[i]
		if was, ok := once[r.ProviderID]; ok && was != subject {
			t.Errorf("%s is %s and %s", r.ProviderID, was, subject)
		}
		once[r.ProviderID] = subject
	}
	if len(once) != len(want)+1 {
		t.Errorf("%d ids for %d mails: %s", len(once), len(want)+1, fmt.Sprint(once))
	}
}
