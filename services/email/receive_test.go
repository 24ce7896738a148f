package email_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
)

func numbers(from, to int) (mails, subjects []string) {
	for i := from; i <= to; i++ {
		mails = append(mails, mailNo(i))
		subjects = append(subjects, fmt.Sprintf("mail %d", i))
	}
	return mails, subjects
}

func TestTakesInWhatIsThereAndWhatComes(t *testing.T) {
	t.Parallel()
	for _, idle := range []bool{true, false} {
		t.Run(fmt.Sprintf("idle %v", idle), func(t *testing.T) {
			t.Parallel()
			office := newPostOffice(t, officeOptions{idle: idle})
			mails, want := numbers(1, 120)
			office.deliver("INBOX", mails...)
			w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
			w.run(t, w.svc)
			eventually(t, "120 mails", func() bool { return len(w.hub.all()) >= 120 })
			if idle { // without it the next look is after imap_poll
				eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
				office.deliver("INBOX", mailNo(121))
				want = append(want, "mail 121")
				eventually(t, "mail by idle", func() bool { return len(w.hub.all()) >= 121 })
			}
			if diff := cmp.Diff(want, w.hub.subjects(t)); diff != "" {
				t.Errorf("mails (-want +got):\n%s", diff)
			}
			first := w.hub.all()[0]
			if !strings.HasPrefix(first.ProviderID, "INBOX/") || !strings.HasSuffix(first.ProviderID, "/1") || first.Peek.Address != "ada@example.org" || first.Channel != "email" || first.Inbox != "support" {
				t.Errorf("input = %q peek %q", first.ProviderID, first.Peek.Address)
			}
			if w.hub.calls > 10 {
				t.Errorf("%d calls of the intake for 121 mails, want batches", w.hub.calls)
			}
			if h := w.book.Health("support"); h.State != "ok" || h.LastIn.IsZero() {
				t.Errorf("health = %+v", h)
			}
		})
	}
}

func TestPollingFindsMailWithoutIdle(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{})
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	office.deliver("INBOX", mailNo(1))
	// The shortest poll is too long for a test: a change of settings looks at once.
	in, _ := w.book.Get("support")
	in.Rev = 2
	w.book.set(in)
	eventually(t, "mail", func() bool { return len(w.hub.all()) == 1 })
}

func TestMailThatIdleDoesNotTellOfIsFoundSoon(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true, unheard: []string{mailNo(1)}})
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "mail", func() bool { return len(w.hub.all()) == 1 })
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, want := numbers(1, 60)
	office.deliver("INBOX", mails...)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	stop := w.run(t, w.svc)
	eventually(t, "60 mails", func() bool { return len(w.hub.all()) == 60 })
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	stop()
	office.deliver("INBOX", mailNo(61))
	w.run(t, w.service(t))
	eventually(t, "the new mail", func() bool { return len(w.hub.all()) >= 61 })
	if diff := cmp.Diff(append(want, "mail 61"), w.hub.subjects(t)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

func TestSinceNowPassesOverOldMail(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.deliver("INBOX", mailNo(1), mailNo(2))
	w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"imap_since": "now"}))
	w.run(t, w.svc)
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	office.deliver("INBOX", mailNo(3))
	eventually(t, "the new mail", func() bool { return len(w.hub.all()) > 0 })
	if diff := cmp.Diff([]string{"mail 3"}, w.hub.subjects(t)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// A mail is accepted before the cursor passes it: a failing intake loses nothing.
func TestIntakeFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, want := numbers(1, 3)
	office.deliver("INBOX", mails...)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.hub.fail = func(n int) error {
		if n < 3 {
			return errors.New("disk is full")
		}
		return nil
	}
	w.run(t, w.svc)
	eventually(t, "3 mails", func() bool { return len(w.hub.all()) == 3 })
	if diff := cmp.Diff(want, w.hub.subjects(t)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

func TestUIDValidityChangeReadsAnewAndKeysStayEqual(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, _ := numbers(1, 3)
	office.deliver("INBOX", mails...)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	stop := w.run(t, w.svc)
	eventually(t, "3 mails", func() bool { return len(w.hub.all()) == 3 })
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	stop()
	office.renew("INBOX")
	office.deliver("INBOX", append([]string{mailNo(4)}, mails...)...)
	w.run(t, w.service(t))
	eventually(t, "7 mails", func() bool { return len(w.hub.all()) == 7 })
	ids, providers := map[string]int{}, map[string]int{}
	for _, r := range w.hub.all() {
		items, err := testParser().Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		ids[items[0].Message.ID]++
		providers[r.ProviderID]++
	}
	if len(ids) != 4 || len(providers) != 7 {
		t.Errorf("%d messages from %d inputs, want 4 from 7", len(ids), len(providers))
	}
}

// The connection is cut at every kind of place: in the greeting, in the login,
// in a listing, in the middle of a literal. Nothing is lost or partial.
func TestCutConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, want := numbers(1, 40)
	mails[20] = strings.Replace(mails[20], "body", strings.Repeat("long body ", 3000), 1)
	office.deliver("INBOX", mails...)
	var cuts []int64
	for n := int64(3); n < 60_000; n = n*3/2 + 7 {
		cuts = append(cuts, n)
	}
	proxy := newScissors(t, office.l.Addr().String(), cuts...)
	w := newWorld(t, mailboxOf("support", port(t, proxy.l), nil))
	w.run(t, w.svc)
	eventually(t, "40 mails", func() bool { return len(w.hub.all()) >= 40 && w.book.Health("support").State == "ok" })
	got := w.hub.subjects(t)
	slices.SortFunc(got, func(a, b string) int { return slices.Index(want, a) - slices.Index(want, b) })
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	for _, r := range w.hub.all() {
		if !slices.Contains(mails, string(r.Body)) {
			t.Errorf("a mail of %d bytes is not one that was sent", len(r.Body))
		}
	}
}

func TestRefusedLoginNeedsAttentionAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.deliver("INBOX", mailNo(1))
	w := newWorld(t, mailboxOf("bad", port(t, office.l), map[string]string{"imap_password": "wrong"}), mailboxOf("good", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "needs attention", func() bool { return w.book.Health("bad").State == "needs_attention" })
	eventually(t, "the other's mail", func() bool { return len(w.hub.all()) == 1 })
	if d := w.book.Health("bad").Detail; !strings.Contains(d, "login refused") || strings.Contains(d, "wrong") {
		t.Errorf("detail = %q", d)
	}
	// The right password is set: it works without a restart, and the other inbox keeps its connection.
	eventually(t, "the other waits", func() bool { return w.book.Health("good").State == "ok" })
	good, _ := w.book.Get("good")
	fixed := mailboxOf("bad", port(t, office.l), nil)
	fixed.Rev = 2
	w.book.set(fixed, good)
	eventually(t, "healthy", func() bool { return w.book.Health("bad").State == "ok" && len(w.hub.all()) == 2 })
}

// A mail the server cannot give does not stop those after it.
func TestUnreadableMailHarmsItselfAlone(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	mails, _ := numbers(1, 5)
	office.deliver("INBOX", mails...)
	office.refuse(3)
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "5 inputs", func() bool { return len(w.hub.all()) == 5 })
	got := w.hub.all()
	if !strings.Contains(string(got[2].Body), "could not give this mail") {
		t.Errorf("third input = %q", got[2].Body)
	}
	if string(got[3].Body) != mails[3] || string(got[4].Body) != mails[4] {
		t.Error("mails after it are not whole")
	}
}

func TestSeveralFoldersAndSeen(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.create("Sales")
	office.deliver("INBOX", mailNo(1))
	office.deliver("Sales", mailNo(2))
	w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"imap_folders": "INBOX, Sales", "imap_seen": "yes"}))
	w.run(t, w.svc)
	eventually(t, "2 mails", func() bool { return len(w.hub.all()) == 2 && w.book.Health("support").State == "ok" })
	office.deliver("INBOX", mailNo(3))
	eventually(t, "3 mails", func() bool { return len(w.hub.all()) == 3 })
	eventually(t, "marked as seen", func() bool {
		data, err := office.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
		return err == nil && *data.NumUnseen == 0
	})
}

func TestSeenIsNeitherSetNorAsked(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	if _, err := office.user.Append("INBOX", literal{strings.NewReader(mailNo(1)), int64(len(mailNo(1)))}, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}}); err != nil {
		t.Fatal(err)
	}
	office.deliver("INBOX", mailNo(2))
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "2 mails", func() bool { return len(w.hub.all()) == 2 })
	data, err := office.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
	if err != nil || *data.NumUnseen != 1 {
		t.Errorf("unseen = %v (%v), want 1", data, err)
	}
}

func TestIMAPOverTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mode, host, cert string
		works                  bool
	}{
		{"implicit", "implicit", "localhost", "localhost", true},
		{"starttls", "starttls", "localhost", "localhost", true},
		{"implicit, certificate of another", "implicit", "localhost", "other.test", false},
		{"starttls, certificate of another", "starttls", "localhost", "other.test", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := officeOptions{idle: true}
			if c.mode == "implicit" {
				o.implicit = serverTLS(t, c.cert)
			} else {
				o.starttls = serverTLS(t, c.cert)
			}
			office := newPostOffice(t, o)
			office.deliver("INBOX", mailNo(1))
			w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"imap_host": c.host, "imap_tls": c.mode}))
			w.run(t, w.svc)
			if c.works {
				eventually(t, "mail", func() bool { return len(w.hub.all()) == 1 })
				return
			}
			eventually(t, "refused", func() bool { return strings.Contains(w.book.Health("support").Detail, "certificate") })
			if len(w.hub.all()) != 0 {
				t.Error("took in a mail from a server with a certificate of another")
			}
		})
	}
}
