package email_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/inbox"
	"go.uber.org/goleak"
)

func TestInboxesComeAndGoWithoutTouchingOthers(t *testing.T) {
	t.Parallel()
	one, two := newPostOffice(t, officeOptions{idle: true}), newPostOffice(t, officeOptions{idle: true})
	a, b := mailboxOf("a", port(t, one.l), nil), mailboxOf("b", port(t, two.l), nil)
	w := newWorld(t, a)
	w.run(t, w.svc)
	eventually(t, "a works", func() bool { return w.book.Health("a").State == "ok" })
	w.book.set(a, b)
	eventually(t, "b works", func() bool { return w.book.Health("b").State == "ok" })
	b.Rev = 2
	w.book.set(a, b)
	eventually(t, "b is connected anew", func() bool { return two.connections() == 2 })
	w.book.set(a)
	two.deliver("INBOX", mailNo(1))
	one.deliver("INBOX", mailNo(2))
	eventually(t, "a's mail", func() bool { return len(w.hub.all()) == 1 })
	if got := w.hub.all()[0].Inbox; got != "a" {
		t.Errorf("mail of inbox %q", got)
	}
	if n := one.connections(); n != 1 {
		t.Errorf("a was connected %d times, want once", n)
	}
	if _, ok := w.svc.Sender("a"); ok {
		t.Error("a has no SMTP server but a sender")
	}
}

func TestWrongSettingsAreSaidAndHarmNobody(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.deliver("INBOX", mailNo(1))
	bad := mailboxOf("bad", "143", map[string]string{"imap_host": "mail.example.org"})
	w := newWorld(t, bad, mailboxOf("good", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "needs attention", func() bool {
		h := w.book.Health("bad")
		return h.State == "needs_attention" && strings.Contains(h.Detail, "imap_tls")
	})
	eventually(t, "the other's mail", func() bool { return len(w.hub.all()) == 1 })
}

func TestStopsAtOnceAndLeavesNothingBehind(t *testing.T) {
	office := newPostOffice(t, officeOptions{idle: true})
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	before := goleak.IgnoreCurrent()
	stop := w.run(t, w.svc)
	eventually(t, "idle", func() bool { return w.book.Health("support").State == "ok" })
	began := time.Now()
	stop()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("stopping took %s", d)
	}
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/emersion/go-imap/v2/imapserver.(*Server).Serve.func1"), goleak.IgnoreAnyFunction("github.com/emersion/go-imap/v2/imapserver.(*Conn).handleIdle"))
}

func inSteps(steps []inbox.Step) string {
	var out []string
	for _, s := range steps {
		word := "ok"
		if s.Err != nil {
			word = "failed"
		}
		out = append(out, s.Name+": "+word)
	}
	return strings.Join(out, ", ")
}

func TestLiveTestOfSettings(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	s := newSink(t, "none", nil)
	ch := email.Channel(email.ChannelDeps{})
	good := mailboxOf("support", port(t, office.l), map[string]string{
		"smtp_host": "127.0.0.1", "smtp_port": port(t, s.l), "smtp_tls": "none", "smtp_username": "support", "smtp_password": "secret",
	})
	if err := ch.Check(good.Settings); err != nil {
		t.Fatal(err)
	}
	if err := ch.Test(t.Context(), good); err != nil {
		t.Errorf("good settings: %v", err)
	}
	if len(s.all()) != 0 {
		t.Error("the test sent a mail")
	}
	for key, value := range map[string]string{"imap_password": "wrong", "smtp_password": "wrong", "imap_folders": "INBOX, Missing", "smtp_port": "1"} {
		bad := mailboxOf("support", port(t, office.l), good.Settings)
		bad.Settings[key] = value
		if err := ch.Test(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") || key == "imap_folders" && !strings.Contains(err.Error(), "Missing") {
			t.Errorf("%s=%s: error %v", key, value, err)
		}
	}
	if got := inSteps(ch.Steps(t.Context(), good)); got != "Connect to the IMAP server: ok, Log in to the IMAP server: ok, Open the folder \"INBOX\": ok, Connect to the SMTP server: ok, Log in to the SMTP server: ok" {
		t.Error(got)
	}
	// Each server is tried, whatever the other says, and where it stopped is told.
	for key, c := range map[string]struct{ value, want string }{
		"imap_password": {"wrong", "Connect to the IMAP server: ok, Log in to the IMAP server: failed, Connect to the SMTP server: ok, Log in to the SMTP server: ok"},
		"imap_port":     {"1", "Connect to the IMAP server: failed, Connect to the SMTP server: ok, Log in to the SMTP server: ok"},
		"smtp_password": {"wrong", "Connect to the IMAP server: ok, Log in to the IMAP server: ok, Open the folder \"INBOX\": ok, Connect to the SMTP server: ok, Log in to the SMTP server: failed"},
		"smtp_host":     {"169.254.169.254", ""},
	} {
		bad := mailboxOf("support", port(t, office.l), good.Settings)
		bad.Settings[key] = c.value
		steps := ch.Steps(t.Context(), bad)
		if key == "smtp_host" { // where clouds keep a machine's credentials
			bad.Settings["smtp_tls"] = "starttls"
			steps = ch.Steps(t.Context(), bad)
			if last := steps[len(steps)-1]; last.Err == nil || !strings.Contains(last.Err.Error(), "link-local") {
				t.Errorf("%s: %v", c.value, last.Err)
			}
			continue
		}
		if got := inSteps(steps); got != c.want {
			t.Errorf("%s=%s: %s", key, c.value, got)
		}
	}
	for _, setting := range ch.Settings {
		secret := setting.Key == "dkim_key" || setting.Key == "webhook_secret"
		for _, end := range []string{"password", "_client_secret", "_refresh_token"} {
			secret = secret || strings.HasSuffix(setting.Key, end)
		}
		if setting.Label == "" || secret != setting.Secret {
			t.Errorf("setting %s: label %q secret %v", setting.Key, setting.Label, setting.Secret)
		}
	}
}

// A mail over the limit leaves a note with its header, and those after it come in.
func TestTooLargeMailLeavesANote(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	var big bytes.Buffer
	big.WriteString("From: Ada <ada@example.org>\r\nSubject: my video\r\nMessage-ID: <big@example.org>\r\n\r\n")
	big.Write(bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"), email.MaxSize/64+1))
	office.deliver("INBOX", mailNo(1), big.String(), mailNo(3))
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.run(t, w.svc)
	eventually(t, "3 inputs", func() bool { return len(w.hub.all()) == 3 })
	note := w.hub.all()[1]
	items, err := testParser().Parse(note)
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	if len(note.Body) > 1000 || m.Content.Subject != "my video" || m.From.Address != "ada@example.org" || !strings.Contains(m.Content.Text, "up to 52428800 are taken in") || m.Refs[0] != "big@example.org" {
		t.Errorf("note = %+v", m)
	}
}

func TestMetricsNameNobody(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.deliver("INBOX", mailNo(1), mailNo(2))
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	reg := prometheus.NewRegistry()
	svc, err := email.New(email.Deps{Intake: w.hub, Inboxes: w.book, State: w.state, Keys: w.keys, Blobs: w.blobs, Metrics: reg, Timing: w.timing})
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, svc)
	eventually(t, "2 mails", func() bool { return len(w.hub.all()) == 2 && w.book.Health("support").State == "ok" })
	want := "# HELP weftline_email_received_total Mails taken in.\n# TYPE weftline_email_received_total counter\nweftline_email_received_total 2\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "weftline_email_received_total"); err != nil {
		t.Error(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.ContainsAny(l.GetValue(), "@/") || l.GetValue() == "support" {
					t.Errorf("%s has label %s=%s", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
}

func TestNewWantsItsDependencies(t *testing.T) {
	t.Parallel()
	if _, err := email.New(email.Deps{}); err == nil {
		t.Error("made a service of nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWorld(t)
	if err := w.svc.Run(ctx); err == nil {
		return // declared before it noticed, and ended
	}
}
