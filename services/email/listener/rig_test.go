//go:build rig

package listener_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/config"
)

// TestRigOpenSMTPDHandsOver has OpenSMTPD deliver by LMTP and relay by SMTP, and swaks bring a mail under TLS.
func TestRigOpenSMTPDHandsOver(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &safe{}
	pool := t.TempDir()
	writeCert(t, pool, "mx.shop.test", 1)
	lmtp := start(t, config.MailListener{Protocol: config.LMTP}, s)
	relay := start(t, config.MailListener{Cert: filepath.Join(pool, "cert.pem"), Key: filepath.Join(pool, "key.pem")}, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	smtpd := l.Addr().String()
	l.Close()
	port := func(a string) string { return a[strings.LastIndexByte(a, ':')+1:] }
	var log bytes.Buffer
	cmd := exec.Command("../../../deploy/rig/start-smtpd.sh", dir, port(smtpd), port(lmtp.addr), port(relay.addr))
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &log, &log, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) //nolint:errcheck // it may have ended
		cmd.Wait()                                      //nolint:errcheck // ended by the signal
		if t.Failed() {
			t.Logf("smtpd:\n%s", log.String())
		}
	})
	soon := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); {
			if time.Now().After(end) {
				t.Fatalf("not in 30 seconds: %s, have %+v", what, s.all())
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	soon("smtpd", func() bool { c, err := net.Dial("tcp", smtpd); return err == nil && c.Close() == nil })

	submit := func(to, body string) {
		t.Helper()
		c, err := smtp.Dial(smtpd)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SendMail("ada@example.org", []string{to}, strings.NewReader("From: ada@example.org\r\nTo: "+to+"\r\nSubject: x\r\n\r\n"+body+"\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	submit("alice@rig.test", "by lmtp")
	soon("the mail by LMTP", func() bool { return len(s.all()) == 1 })
	if r := s.all()[0]; r.Inbox != "rig" || r.Via[email.ViaBy] != email.ViaLMTP || !strings.Contains(string(r.Body), "by lmtp") {
		t.Errorf("by LMTP %+v", r)
	}
	submit("support@shop.test", ".starts with a dot\r\n.\x20\r\nby smtp")
	soon("the mail by SMTP", func() bool { return len(s.all()) == 2 })
	if r := s.all()[1]; r.Inbox != "support" || r.Via[email.ViaFrom] != "ada@example.org" || r.Via[email.ViaHelo] != "mx.rig.test" || !strings.Contains(string(r.Body), "\r\n.starts with a dot\r\n. \r\nby smtp") {
		t.Errorf("by SMTP %+v\n%s", r, r.Body)
	}
	out, err := exec.Command("swaks", "--server", relay.addr, "--tls", "--from", "ada@example.org", "--to", "help@shop.test", "--body", "by swaks").CombinedOutput()
	if err != nil {
		t.Fatalf("swaks: %v\n%s", err, out)
	}
	if all := s.all(); len(all) != 3 || !strings.HasPrefix(all[2].Via[email.ViaTLS], "TLS 1.") {
		t.Errorf("by swaks %+v", all)
	}
	if out, err := exec.Command("swaks", "--server", relay.addr, "--from", "ada@example.org", "--to", "eve@evil.test").CombinedOutput(); err == nil || !strings.Contains(string(out), "550 5.1.1") {
		t.Errorf("it relays: %v\n%s", err, out)
	}
}
