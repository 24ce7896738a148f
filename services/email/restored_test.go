package email_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/internal/inbox"
)

// sequenced is a mailbox with CONDSTORE that holds mails in INBOX and in Sales.
func sequencedOffice(t *testing.T, highest uint64, in, sales []string) *sequencer {
	t.Helper()
	office := newPostOffice(t, officeOptions{idle: true})
	office.create("Sales") // the same UIDVALIDITY in every office
	office.deliver("INBOX", in...)
	office.deliver("Sales", sales...)
	s := newSequencer(t, office.l.Addr().String())
	s.office = office
	s.set("INBOX", highest)
	s.set("Sales", highest)
	return s
}

func sequencedInbox(t *testing.T, s *sequencer) inbox.Inbox {
	return mailboxOf("support", port(t, s.l), map[string]string{"imap_folders": "INBOX, Sales"})
}

// receive runs a service until n inputs are there and it waits for more.
func (w *world) receive(t *testing.T, in inbox.Inbox, n int) {
	t.Helper()
	w.book.set(in)
	w.book.SetHealth(in.ID, inbox.Health{State: "not started"})
	stop := w.run(t, w.service(t))
	eventually(t, "inputs", func() bool { return len(w.hub.all()) >= n })
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	stop()
	if got := len(w.hub.all()); got != n {
		t.Fatalf("%d inputs, want %d: %v", got, n, w.hub.subjects(t))
	}
}

func distinct(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }

// A mailbox that is put back from a backup gives new mails the UIDs of others.
// They come in all the same, from a folder that is open and from one that is only looked at.
func TestMailOfAMailboxPutBackIsNotLost(t *testing.T) {
	t.Parallel()
	before := sequencedOffice(t, 30, []string{mailNo(1), mailNo(2), mailNo(3)}, []string{mailNo(11), mailNo(12)})
	w := newWorld(t, sequencedInbox(t, before))
	w.receive(t, sequencedInbox(t, before), 5)

	// Others than the mails with their UIDs, by their size: the clock of a test is too fast.
	longer := func(n int) string { return mailNo(n) + "and more\r\n" }
	after := sequencedOffice(t, 15, []string{mailNo(1), mailNo(2), longer(4)}, []string{mailNo(11), longer(13)})
	w.receive(t, sequencedInbox(t, after), 10)
	if diff := cmp.Diff(distinct([]string{"mail 1", "mail 2", "mail 3", "mail 4", "mail 11", "mail 12", "mail 13"}), distinct(w.hub.subjects(t))); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	var providers []string
	for _, r := range w.hub.all() {
		providers = append(providers, r.ProviderID)
	}
	if n := len(distinct(providers)); n != 10 { // the hub keeps one input of each
		t.Errorf("%d different provider ids of 10 inputs: %v", n, providers)
	}
	if n := len(w.ids(t)); n != 7 {
		t.Errorf("%d messages, want 7", n)
	}
	// It is found out once.
	after.office.deliver("INBOX", mailNo(5))
	after.set("INBOX", 16)
	w.receive(t, sequencedInbox(t, after), 11)
}

// An index that is built anew begins its mod-sequences anew, too; the mails are the same.
func TestModSequencesThatBeginAnewReadNothingAgain(t *testing.T) {
	t.Parallel()
	s := sequencedOffice(t, 30, []string{mailNo(1), mailNo(2), mailNo(3)}, []string{mailNo(11)})
	w := newWorld(t, sequencedInbox(t, s))
	w.receive(t, sequencedInbox(t, s), 4)
	s.set("INBOX", 1)
	s.set("Sales", 1)
	w.receive(t, sequencedInbox(t, s), 4)
	opened := s.office.commands()["select"]
	s.office.deliver("INBOX", mailNo(4))
	s.set("INBOX", 2)
	w.receive(t, sequencedInbox(t, s), 5)
	if n := s.office.commands()["select"] - opened; n != 1 {
		t.Errorf("%d folders were opened, want INBOX only: what was found out is kept", n)
	}
}

// A new UIDVALIDITY begins everything anew: lower mod-sequences say nothing then.
func TestNewUIDsBeginModSequencesAnew(t *testing.T) {
	t.Parallel()
	s := sequencedOffice(t, 30, []string{mailNo(1), mailNo(2)}, nil)
	w := newWorld(t, sequencedInbox(t, s))
	w.receive(t, sequencedInbox(t, s), 2)
	s.office.renew("INBOX")
	s.office.deliver("INBOX", mailNo(1), mailNo(3))
	s.set("INBOX", 5)
	w.receive(t, sequencedInbox(t, s), 4)
	w.receive(t, sequencedInbox(t, s), 4)
	if n := len(w.ids(t)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

// A folder without mod-sequences (NOMODSEQ) is read as on a server without
// CONDSTORE; one that loses them is not taken for another.
func TestFolderWithoutModSequences(t *testing.T) {
	t.Parallel()
	s := sequencedOffice(t, 0, []string{mailNo(1)}, []string{mailNo(11)})
	w := newWorld(t, sequencedInbox(t, s))
	w.receive(t, sequencedInbox(t, s), 2)
	if n := s.commands("fetch"); n != 0 {
		t.Errorf("mod-sequences were asked for %d times, which this folder answers with BAD", n)
	}
	s.set("INBOX", 30)
	s.office.deliver("INBOX", mailNo(2))
	w.receive(t, sequencedInbox(t, s), 3)
	if s.commands("fetch") == 0 || s.commands("select") == 0 {
		t.Error("CONDSTORE is offered and not used")
	}
	s.set("INBOX", 0)
	s.office.deliver("INBOX", mailNo(3))
	w.receive(t, sequencedInbox(t, s), 4)
	if n := len(w.ids(t)); n != 4 {
		t.Errorf("%d messages, want 4", n)
	}
}
