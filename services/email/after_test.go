package email_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

// in lists the subjects of a folder, as another mail program sees it; nil: there is no such folder.
func (p *postOffice) in(folder string) (subjects []string) {
	p.t.Helper()
	c, err := imapclient.DialInsecure(p.l.Addr().String(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("support", "secret").Wait(); err != nil {
		p.t.Fatal(err)
	}
	data, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || data.NumMessages == 0 {
		return nil
	}
	all := imap.SeqSet{}
	all.AddRange(1, 0)
	found, err := c.Fetch(all, &imap.FetchOptions{Envelope: true}).Collect()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range found {
		subjects = append(subjects, m.Envelope.Subject)
	}
	return subjects
}

// Mails move away once they are safe, and not before; new folder and all.
func TestTakenMailsAreMoved(t *testing.T) {
	t.Parallel()
	for _, extension := range []imap.Cap{imap.CapMove, imap.CapUIDPlus, ""} {
		t.Run(string(extension), func(t *testing.T) {
			t.Parallel()
			office := newPostOffice(t, officeOptions{idle: true, caps: []imap.Cap{extension}})
			office.deliver("INBOX", mailNo(1), mailNo(2), mailNo(3))
			deleted := mailNo(9) // by another mail program, not yet expunged
			if _, err := office.user.Append("INBOX", literal{bytes.NewReader([]byte(deleted)), int64(len(deleted))}, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDeleted}}); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"imap_after": "move: Done", "only_to": "support@shop.test"}))
			office.deliver("INBOX", strings.Replace(mailNo(4), "support@", "other@", 1))
			w.hub.fail = func(n int) error {
				if n == 1 {
					if left := office.in("INBOX"); len(left) != 5 {
						t.Errorf("before they were safe: %v", left)
					}
					return fmt.Errorf("disk is full")
				}
				return nil
			}
			w.run(t, w.svc)
			eventually(t, "all are in", func() bool { return len(w.hub.all()) == 4 && w.book.Health("support").State == "ok" })
			left, moved := []string{"mail 4"}, []string{"mail 1", "mail 2", "mail 3", "mail 9"}
			if extension == "" { // nothing can be moved without harm
				left, moved = []string{"mail 1", "mail 2", "mail 3", "mail 9", "mail 4"}, nil
			}
			if diff := cmp.Diff(left, office.in("INBOX")); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(moved, office.in("Done")); diff != "" {
				t.Errorf("moved (-want +got):\n%s", diff)
			}
		})
	}
}

// What is sent is in the folder of sent mail, once, whatever happened on the way.
func TestSentMailIsFiledOnce(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	s := newSink(t, "none", nil)
	w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{
		"imap_sent": "Sent", "smtp_host": "127.0.0.1", "smtp_port": port(t, s.l), "smtp_tls": "none",
	}))
	w.run(t, w.svc)
	eventually(t, "waiting", func() bool { return w.book.Health("support").State == "ok" })
	out := outbound()
	for _, subject := range []string{"first", "first", "second"} { // the first is tried twice, as after a lost answer
		out.Subject = subject
		if subject == "second" {
			out.ID = "01JOTHER"
		}
		if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("state %q (%v)", r.State, err)
		}
	}
	eventually(t, "the second is filed", func() bool { return len(office.in("Sent")) >= 2 })
	if diff := cmp.Diff([]string{"first", "second"}, office.in("Sent")); diff != "" {
		t.Errorf("sent mail (-want +got):\n%s", diff)
	}
	if len(w.hub.all()) != 0 {
		t.Error("what we sent came in as new mail")
	}
	data, err := office.user.Status("Sent", &imap.StatusOptions{NumUnseen: true})
	if err != nil || *data.NumUnseen != 0 {
		t.Errorf("unseen in Sent: %v (%v)", data, err)
	}
}

// A folder in which nothing changed costs one command a look, and is not opened.
func TestUnchangedFoldersAreNotOpened(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	folders := []string{"INBOX"}
	for i := range 5 {
		name := fmt.Sprint("Folder", i)
		office.create(name)
		office.deliver(name, mailNo(i))
		folders = append(folders, name)
	}
	w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"imap_folders": strings.Join(folders, ",")}))
	stop := w.run(t, w.svc)
	eventually(t, "all read", func() bool { return len(w.hub.all()) == 5 && w.book.Health("support").State == "ok" })
	stop()
	before := office.commands()
	office.deliver("Folder3", mailNo(7))
	w.run(t, w.service(t))
	eventually(t, "the new mail", func() bool { return len(w.hub.all()) == 6 && w.book.Health("support").State == "ok" })
	got := map[string]int{}
	for k, n := range office.commands() {
		got[k] = n - before[k]
	}
	t.Logf("commands of a start on 6 folders with one new mail: %v; without looking first 6 SELECT, 6 listings, 1 FETCH", got)
	if got["select"] != 2 || got["status"] != 5 || got["list"] > 2 || got["fetch"] != 1 {
		t.Errorf("commands %v, want 2 select, 5 status, at most 2 list, 1 fetch", got)
	}
}

func TestSettingsOfFolders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, want string }{
		{"imap_after", "keep", ""},
		{"imap_after", "seen", ""},
		{"imap_after", "move:Done/2026", ""},
		{"imap_sent", "Sent", ""},
		{"imap_after", "move:", "imap_after"},
		{"imap_after", "delete", "imap_after"},
		{"imap_after", "move:a*b", "imap_after"},
		{"imap_after", "move:inbox", "imap_folders"},
		{"imap_sent", "INBOX", "imap_folders"},
		{"only_to", "nobody", "only_to"},
		{"signature", strings.Repeat("x", 4001), "signature"},
	} {
		err := email.Check(mailboxOf("x", "143", map[string]string{c.key: c.value}).Settings)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s=%.40s: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
}
