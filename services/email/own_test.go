package email_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
)

func TestTaggedAddressesAreOurOwn(t *testing.T) {
	t.Parallel()
	set := map[string]string{"address": "support@shop.test", "aliases": "sales@shop.test, Info@Shop.Test", "only_to": "jobs@shop.test"}
	for address, want := range map[string]bool{
		"support@shop.test": true, "SUPPORT@shop.test": true, "support+order-7@shop.test": true, "sales+x+y@shop.test": true, "info@shop.test": true, "jobs+@shop.test": true,
		"+support@shop.test": false, "supporter@shop.test": false, "support+x@other.test": false, "x+support@shop.test": false, `"support+x"@shop.test`: false, "support+x": false, "": false,
	} {
		if got := email.Owns(set, address); got != want {
			t.Errorf("Owns(%q) = %v", address, got)
		}
	}
}

// Whom a mail was written to, and that none of ours is a third party.
func TestRecipientsAreSortedByWhatTheCustomerWrote(t *testing.T) {
	t.Parallel()
	parser := email.NewParser(crypt.NewDeterministic("email corpus"), func(string) []string { return []string{"support@shop.test", "sales@shop.test", "jobs@shop.test"} })
	for _, c := range []struct {
		name, header string
		to, cc       []string
	}{
		{"alias, delivered to the mailbox", "To: sales@shop.test\nDelivered-To: support@shop.test\n", []string{"sales@shop.test", "support@shop.test"}, nil},
		{"tagged", "To: Support <support+Sales@shop.test>, bob@x.test\n", []string{"support+Sales@shop.test"}, []string{"bob@x.test"}},
		{"copy to us", "To: bob@x.test\nCc: jobs@shop.test\n", []string{"jobs@shop.test"}, []string{"bob@x.test"}},
		{"blind copy", "To: bob@x.test\nX-Original-To: jobs@shop.test\nDelivered-To: support@shop.test\n", []string{"jobs@shop.test", "support@shop.test"}, []string{"bob@x.test"}},
		{"two of ours, this copy for the second", "To: sales@shop.test, jobs@shop.test\nX-Original-To: jobs@shop.test\n", []string{"jobs@shop.test", "sales@shop.test"}, nil},
		{"nobody", "", []string{"support@shop.test"}, nil},
	} {
		items, err := parser.Parse(testRaw([]byte("From: ada@example.org\n" + c.header + "Subject: x\n\nx")))
		if err != nil {
			t.Fatal(err)
		}
		var to, cc []string
		for _, a := range items[0].Message.To {
			to = append(to, a.Address)
		}
		for _, a := range items[0].Message.CC {
			cc = append(cc, a.Address)
		}
		if !slices.Equal(to, c.to) || !slices.Equal(cc, c.cc) {
			t.Errorf("%s: to %q cc %q, want %q %q", c.name, to, cc, c.to, c.cc)
		}
	}
	items, err := parser.Parse(testRaw([]byte("From: support+loop@shop.test\nTo: support@shop.test\n\nx")))
	if err != nil || !slices.Contains(items[0].Message.Flags, "auto_reply") {
		t.Errorf("our own tagged address as sender: flags %v (%v)", items[0].Message.Flags, err)
	}
}

func TestAnswersFromTheAddressWrittenTo(t *testing.T) {
	t.Parallel()
	s := newSink(t, "none", nil)
	w := newWorld(t, outbox(port(t, s.l), map[string]string{"aliases": "sales@shop.test, jobs@other.test"}))
	ids := map[string]bool{}
	for _, c := range []struct{ written, from, replyTo string }{
		{"", ownAddress, ""},
		{"Sales@shop.test", "sales@shop.test", ""},
		{"jobs@other.test", "jobs@other.test", ""},
		{"support+sales@shop.test", ownAddress, "<support+sales@shop.test>"},
		{"mallory@evil.test", ownAddress, ""}, // no alias, or no more
	} {
		out := outbound()
		out.From = c.written
		r, err := w.sender(t).Send(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		ids[r.ProviderID] = true
		got := s.all()[len(s.all())-1]
		if got.from != c.from || !strings.Contains(headerOf(got.data, "From"), "<"+c.from+">") || headerOf(got.data, "Reply-To") != c.replyTo {
			t.Errorf("written to %q: from %q, %q, reply to %q", c.written, got.from, headerOf(got.data, "From"), headerOf(got.data, "Reply-To"))
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d Message-IDs for one reply", len(ids))
	}
}

// Three inboxes read one mailbox. Every mail is in one of them, whatever it names.
func TestSharedMailboxIsSharedOutByRecipient(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	put := func(n, header string) {
		office.deliver("INBOX", "From: ada@example.org\r\nMessage-ID: <"+n+"@example.org>\r\nSubject: "+n+"\r\n"+strings.ReplaceAll(header, "\n", "\r\n")+"\r\nx\r\n")
	}
	put("sales", "To: sales@shop.test\n")
	put("tagged", "To: Sales+eu@shop.test\n")
	put("jobs", "Cc: jobs@shop.test\nTo: bob@x.test\n")
	put("both", "To: jobs@shop.test, sales@shop.test\n")
	put("both, for sales", "To: jobs@shop.test, sales@shop.test\nX-Original-To: sales@shop.test\n")
	put("blind", "To: bob@x.test\nDelivered-To: sales@shop.test\n")
	put("support", "To: support@shop.test\n")
	put("nobody", "")
	p := port(t, office.l)
	w := newWorld(
		t, mailboxOf("jobs", p, map[string]string{"only_to": "jobs@shop.test", "imap_seen": "yes"}), mailboxOf("rest", p, nil),
		mailboxOf("sales", p, map[string]string{"only_to": "sales@shop.test", "imap_username": "Support"}),
	)
	sales := w.book.inboxes["sales"] // the same mailbox, spelled the same again
	sales.Settings = maps.Clone(sales.Settings)
	sales.Settings["imap_username"] = "support"
	w.book.inboxes["sales"] = sales
	reg := prometheus.NewRegistry()
	svc, err := email.New(email.Deps{Intake: w.hub, Inboxes: w.book, State: w.state, Keys: w.keys, Blobs: w.blobs, Metrics: reg, Timing: w.timing})
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, svc)
	eventually(t, "all wait", func() bool {
		return w.book.Health("jobs").State == "ok" && w.book.Health("sales").State == "ok" && w.book.Health("rest").State == "ok"
	})
	put("later", "To: sales@shop.test\n")
	eventually(t, "the later mail", func() bool { return len(w.hub.all()) >= 9 })
	got := map[string]string{}
	for i, r := range w.hub.all() {
		subject := w.hub.subjects(t)[i]
		if got[subject] != "" {
			t.Errorf("%q came in twice", subject)
		}
		got[subject] = r.Inbox
	}
	want := map[string]string{
		"sales": "sales", "tagged": "sales", "jobs": "jobs", "both": "jobs", "both, for sales": "sales", "blind": "sales", "support": "rest", "nobody": "rest", "later": "sales",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inboxes (-want +got):\n%s", diff)
	}
	eventually(t, "others are counted", func() bool {
		return testutil.CollectAndCompare(reg, strings.NewReader(`
# HELP weftline_email_passed_over_total Mails left alone because they are for other addresses (only_to).
# TYPE weftline_email_passed_over_total counter
weftline_email_passed_over_total 18
`), "weftline_email_passed_over_total") == nil
	})
	data, err := office.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
	if err != nil || *data.NumUnseen != 7 { // jobs marks its own two and no other
		t.Errorf("unseen: %v (%v), want 7", data, err)
	}
}
