//go:build rig

package email_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

// TestRigMailboxPutBackFromABackup: Dovecot's files of a mailbox are put back to
// what they were, and the next mail gets a UID that another had. Then its index
// is lost, which begins mod-sequences anew and means nothing.
func TestRigMailboxPutBackFromABackup(t *testing.T) {
	imapPort, lmtpPort := freePort(t), freePort(t)
	dir, err := os.MkdirTemp("/tmp", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	start(t, "start-dovecot.sh", dir, imapPort, lmtpPort)
	rigAnswers(t, imapPort, lmtpPort)
	in := mailboxOf("support", imapPort, map[string]string{"address": "alice@rig.test", "imap_username": "alice"})
	w := newWorld(t, in)
	deliver := func(n int) {
		t.Helper()
		conn, err := net.Dial("tcp", "127.0.0.1:"+lmtpPort)
		if err != nil {
			t.Fatal(err)
		}
		c := smtp.NewClientLMTP(conn)
		defer c.Close()
		if err := c.SendMail("ada@example.org", []string{"alice@rig.test"}, strings.NewReader(mailNo(n))); err != nil {
			t.Fatal(fmt.Errorf("deliver: %w", err))
		}
	}
	copyMail := func(from, to string) {
		t.Helper()
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("copy the mailbox: %v\n%s", err, out)
		}
	}
	box, backup := filepath.Join(dir, "mail/alice"), filepath.Join(dir, "backup")

	deliver(1)
	deliver(2)
	w.receive(t, in, 2)
	copyMail(box, backup)
	deliver(3)
	deliver(4)
	w.receive(t, in, 4)
	copyMail(backup, box)
	deliver(5)
	w.receive(t, in, 7) // 1, 2 and 5
	want := []string{"mail 1", "mail 2", "mail 3", "mail 4", "mail 5"}
	if diff := cmp.Diff(want, distinct(w.hub.subjects(t))); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	if n := len(w.ids(t)); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}

	indexes, _ := filepath.Glob(filepath.Join(box, "dovecot.index*"))
	if len(indexes) == 0 {
		t.Fatal("found no index to remove")
	}
	for _, f := range indexes {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	deliver(6)
	w.receive(t, in, 8)
}
