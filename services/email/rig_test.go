//go:build rig

package email_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
)

// TestRigMailGoesInAndOut runs against Dovecot and OpenSMTPD, which
// deploy/rig starts: a customer's mail comes in by IDLE, the answer goes out,
// the customer's answer to it is tied to it, odd mails arrive as the parser
// reads them from a file, and a new UIDVALIDITY makes no new messages.
func TestRigMailGoesInAndOut(t *testing.T) {
	s := newSink(t, "none", nil)
	imapPort, lmtpPort, smtpPort := freePort(t), freePort(t), freePort(t)
	dir, err := os.MkdirTemp("/tmp", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	start(t, "start-dovecot.sh", dir, imapPort, lmtpPort)
	start(t, "start-smtpd.sh", dir, smtpPort, lmtpPort, port(t, s.l))
	rigAnswers(t, imapPort, lmtpPort, smtpPort)

	w := newWorld(t, mailboxOf("support", imapPort, map[string]string{
		"address": "alice@rig.test", "imap_username": "alice",
		"smtp_host": "127.0.0.1", "smtp_port": smtpPort, "smtp_tls": "none",
	}))
	stop := w.run(t, w.svc)
	rigEventually(t, "idle", func() bool { return w.book.Health("support").State == "ok" })

	submit(t, smtpPort, "ada@example.org", "From: Ada <ada@example.org>\r\nTo: alice@rig.test\r\nMessage-ID: <first@example.org>\r\nSubject: Where is it?\r\n\r\nHello\r\n")
	rigEventually(t, "the first mail", func() bool { return len(w.hub.all()) == 1 })
	m := w.message(t, 0)
	if m.Content.Subject != "Where is it?" || m.From.Address != "ada@example.org" {
		t.Fatalf("message = %+v", m)
	}

	out := outbound()
	out.Subject, out.InReplyTo, out.References = m.Content.Subject, m.Refs[0], m.Refs
	r, err := w.sender(t).Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent {
		t.Fatalf("state %q (%v)", r.State, err)
	}
	rigEventually(t, "the answer at the customer's server", func() bool { return len(s.all()) == 1 })
	got := s.all()[0]
	if got.from != "alice@rig.test" || !slices.Equal(got.to, []string{"ada@example.org"}) || headerOf(got.data, "In-Reply-To") != "<first@example.org>" {
		t.Fatalf("delivered %+v", got)
	}

	id := headerOf(got.data, "Message-Id")
	submit(t, smtpPort, "ada@example.org", "From: ada@example.org\r\nTo: alice@rig.test\r\nMessage-ID: <second@example.org>\r\nIn-Reply-To: "+id+"\r\nReferences: <first@example.org> "+id+"\r\nSubject: Re: Where is it?\r\n\r\nThanks!\r\n")
	rigEventually(t, "the customer's answer", func() bool { return len(w.hub.all()) == 2 })
	if m := w.message(t, 1); m.Answers != out.ID || !m.AnswersFromSame || m.References[1] != "first@example.org" {
		t.Errorf("answers %q from same %v, references %q", m.Answers, m.AnswersFromSame, m.References)
	}

	tough := []string{
		"shift_jis", "iso_2022_jp", "utf16_base64", "rfc2047_split_character", "mixed_pdf_rfc2231", "related_cid", "calendar",
		"forwarded_rfc822", "quote_html_gmail_de", "html_hostile", "from_name_is_address", "base64_garbage", "filename_tricks", "no_charset_8bit",
	}
	for i, name := range tough {
		file := readCase(t, "testdata/mail/"+name+".eml")
		submit(t, smtpPort, "ada@example.org", string(file))
		rigEventually(t, name, func() bool { return len(w.hub.all()) == 3+i })
		direct, err := w.svc.Parser().Parse(testRaw(file))
		if err != nil {
			t.Fatal(err)
		}
		arrived := w.message(t, 2+i)
		if diff := cmp.Diff(direct[0].Message.Content, arrived.Content); diff != "" {
			t.Errorf("%s (-file +arrived):\n%s", name, diff)
		}
		if direct[0].Message.ID != arrived.ID {
			t.Errorf("%s: id %q from the file, %q from the server", name, direct[0].Message.ID, arrived.ID)
		}
	}

	rigEventually(t, "the cursor", func() bool { return w.book.Health("support").State == "ok" })
	stop()
	before := w.ids(t)
	lists, _ := filepath.Glob(filepath.Join(dir, "mail/alice/dovecot*"))
	if len(lists) == 0 {
		t.Fatal("found no uid list to remove")
	}
	for _, f := range lists {
		if err := os.RemoveAll(f); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t, w.service(t))
	n := len(w.hub.all())
	rigEventually(t, "all mails again", func() bool { return len(w.hub.all()) == 2*n })
	if diff := cmp.Diff(before, w.ids(t)); diff != "" {
		t.Errorf("messages after new uids (-want +got):\n%s", diff)
	}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return port(t, l)
}

// start runs a script of deploy/rig until the test ends.
func start(t *testing.T, script string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join("../../deploy/rig", script), args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) //nolint:errcheck // it may have ended
		cmd.Wait()                                      //nolint:errcheck // ended by the signal
		if t.Failed() {
			t.Logf("%s:\n%s", script, log.String())
		}
	})
}

func rigAnswers(t *testing.T, ports ...string) {
	t.Helper()
	for _, p := range ports {
		rigEventually(t, "port "+p, func() bool {
			c, err := net.Dial("tcp", "127.0.0.1:"+p)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
}

func rigEventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not in 30 seconds: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// submit gives a mail to the server byte for byte.
func submit(t *testing.T, port, from, data string) {
	t.Helper()
	c, err := smtp.Dial("127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SendMail(from, []string{"alice@rig.test"}, io.MultiReader(strings.NewReader(data))); err != nil {
		t.Fatal(fmt.Errorf("submit: %w", err))
	}
}
