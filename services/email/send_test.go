package email_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

func outbound() channel.Outbound {
	return channel.Outbound{
		ID: "01JREPLY", Tenant: "t1", Channel: "email", Inbox: "support", Customer: "c1",
		To: channel.Address{Kind: "email", Address: "ada@example.org", Name: "Ada Lovelace"}, Subject: "Your order",
		Content: channel.Content{Text: "It is on its way.\n\nGrüße"}, AuthorName: "Grace", At: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Attempt: 1,
	}
}

func (w *world) sender(t testing.TB) channel.Sender {
	t.Helper()
	s, ok := w.svc.Sender("support")
	if !ok {
		t.Fatal("no sender")
	}
	return s
}

func TestSendsWhatTheParserReads(t *testing.T) {
	t.Parallel()
	s := newSink(t, "none", nil)
	w := newWorld(t, outbox(port(t, s.l), map[string]string{"smtp_username": "support", "smtp_password": "secret"}))
	key, _, err := w.blobs.Put(t.Context(), "k", strings.NewReader("%PDF-1.4"), 100)
	if err != nil {
		t.Fatal(err)
	}
	out := outbound()
	out.InReplyTo = "m2@example.org"
	out.References = []string{"m1@example.org", "m2@example.org"}
	out.Content.HTML = `<p>It is on its <b>way</b>.<script>x</script></p>`
	out.Content.Attachments = []channel.Attachment{{Name: "Rechnung für €.pdf", ContentType: "application/pdf", Blob: key}}
	r, err := w.sender(t).Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != channel.StateSent || r.Outbound != out.ID || r.Customer != "c1" || r.Inbox != "support" {
		t.Errorf("receipt = %+v", r)
	}
	got := s.all()
	if len(got) != 1 || got[0].from != ownAddress || !slices.Equal(got[0].to, []string{"ada@example.org"}) {
		t.Fatalf("delivered = %+v", got)
	}
	data := got[0].data
	if v := headerOf(data, "Message-Id"); v != "<"+r.ProviderID+">" {
		t.Errorf("message id = %q, receipt says %q", v, r.ProviderID)
	}
	if v := headerOf(data, "References"); v != "<m1@example.org> <m2@example.org>" {
		t.Errorf("references = %q", v)
	}
	if v := headerOf(data, "In-Reply-To"); v != "<m2@example.org>" {
		t.Errorf("in-reply-to = %q", v)
	}
	if v := headerOf(data, "From"); v != `"Grace (Acme Support)" <support@shop.test>` {
		t.Errorf("from = %q", v)
	}
	items, err := testParser().Parse(testRaw([]byte(data)))
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	want := channel.Content{
		Subject: "Re: Your order", Text: "It is on its way.\n\nGrüße", HTML: "<p>It is on its <b>way</b>.</p>",
		Attachments: []channel.Attachment{{Name: "Rechnung für €.pdf", ContentType: "application/pdf", Size: 8, Part: "2"}},
	}
	if diff := cmp.Diff(want, m.Content); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	if w.book.Health("support").LastOut.IsZero() {
		t.Error("health does not know of it")
	}
	// Every attempt has the same Message-ID.
	out.Attempt, out.Unknown = 2, true
	if again, err := w.sender(t).Send(t.Context(), out); err != nil || again.ProviderID != r.ProviderID {
		t.Errorf("second attempt has id %q, want %q (%v)", again.ProviderID, r.ProviderID, err)
	}
	// The customer's answer proves which mail it answers.
	answer := "From: Ada <ADA@example.org>\r\nIn-Reply-To: <" + r.ProviderID + ">\r\nSubject: Re\r\n\r\nthanks"
	items, err = w.svc.Parser().Parse(testRaw([]byte(answer)))
	if err != nil {
		t.Fatal(err)
	}
	if m := items[0].Message; m.Answers != out.ID || !m.AnswersFromSame || m.Assurance != 1 {
		t.Errorf("answers %q from same %v assurance %d", m.Answers, m.AnswersFromSame, m.Assurance)
	}
}

// How each refusal and each lost connection ends (RFC 5321 §4.2.1, §6.1).
func TestSendOutcomes(t *testing.T) {
	t.Parallel()
	const sent, failed, unknown, retry, attention = "sent", "failed", "unknown", "retry", "attention"
	for _, c := range []struct {
		name    string
		answers map[string]string
		want    string
		detail  string
	}{
		{"taken", nil, sent, ""},
		{"greeting 421", map[string]string{"greeting": "421 busy"}, retry, ""},
		{"greeting 554", map[string]string{"greeting": "554 no"}, retry, ""},
		{"greeting closes", map[string]string{"greeting": "close"}, retry, ""},
		{"helo 550", map[string]string{"EHLO": "550 no"}, retry, ""},
		{"mail 451", map[string]string{"MAIL": "451 4.3.0 later"}, retry, ""},
		{"mail 550", map[string]string{"MAIL": "550 5.7.1 not you"}, failed, "550 5.7.1 not you"},
		{"mail 530", map[string]string{"MAIL": "530 5.7.0 log in first"}, attention, ""},
		{"rcpt 450", map[string]string{"RCPT": "450 4.2.0 greylisted"}, retry, ""},
		{"rcpt 550", map[string]string{"RCPT": "550 5.1.1 no ada@example.org here"}, failed, "550 5.1.1 no … here"},
		{"rcpt closes", map[string]string{"RCPT": "close"}, retry, ""},
		{"rcpt 421", map[string]string{"RCPT": "421 4.4.2 bye"}, retry, ""},
		{"data 452", map[string]string{"DATA": "452 4.3.1 full"}, retry, ""},
		{"data 554", map[string]string{"DATA": "554 5.6.0 no"}, failed, "554 5.6.0 no"},
		{"dot 451", map[string]string{".": "451 4.7.1 later"}, retry, ""},
		{"dot 552", map[string]string{".": "552 5.3.4 too big"}, failed, "552 5.3.4 too big"},
		{"dot closes", map[string]string{".": "close"}, unknown, "confirmed"},
		{"dot silent", map[string]string{".": "silent"}, unknown, "confirmed"},
		{"quit fails", map[string]string{"QUIT": "close"}, sent, ""},
		{"data silent", map[string]string{"DATA": "silent"}, retry, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, c.answers)
			w := newWorld(t, outbox(port(t, s.l), nil))
			w.timing.SMTPStep = time.Second
			w.svc = w.service(t)
			r, err := w.sender(t).Send(t.Context(), outbound())
			got := string(r.State)
			switch {
			case errors.Is(err, channel.ErrNeedsAttention):
				got = attention
			case err != nil:
				got = retry
			}
			if got != c.want || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("outcome %s %q (%v), want %s %q", got, r.Detail, err, c.want, c.detail)
			}
			if err != nil && r.State != "" {
				t.Errorf("an error with state %s", r.State)
			}
		})
	}
}

func TestCancelledSendIsUnknownOnlyAfterTheDot(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]channel.State{"RCPT": "", ".": channel.StateUnknown} {
		s := newScript(t, map[string]string{verb: "silent"})
		w := newWorld(t, outbox(port(t, s.l), nil))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			eventually(t, "the server is asked", func() bool {
				lines, data := s.sent()
				return len(data) > 0 || verb == "RCPT" && len(lines) > 2
			})
			cancel()
		}()
		r, err := w.sender(t).Send(ctx, outbound())
		if r.State != want || (err == nil) != (want != "") {
			t.Errorf("%s: state %q (%v), want %q", verb, r.State, err, want)
		}
	}
}

func TestSMTPLoginAndTLS(t *testing.T) {
	t.Parallel()
	auth := map[string]string{"smtp_username": "support", "smtp_password": "secret"}
	for _, c := range []struct {
		name, mode, server, cert, password string
		want                               string
	}{
		{"implicit", "implicit", "implicit", "localhost", "secret", ""},
		{"starttls", "starttls", "starttls", "localhost", "secret", ""},
		{"wrong certificate", "implicit", "implicit", "other.test", "secret", "certificate"},
		{"wrong certificate after starttls", "starttls", "starttls", "other.test", "secret", "certificate"},
		{"starttls stripped", "starttls", "none", "", "secret", "STARTTLS"},
		{"wrong password", "implicit", "implicit", "localhost", "wrong", "needs attention"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, c.server, serverTLS(t, c.cert))
			set := map[string]string{"smtp_host": "localhost", "smtp_tls": c.mode, "smtp_username": auth["smtp_username"], "smtp_password": c.password}
			w := newWorld(t, outbox(port(t, s.l), set))
			r, err := w.sender(t).Send(t.Context(), outbound())
			if c.want == "" {
				if err != nil || r.State != channel.StateSent || s.users != 1 {
					t.Errorf("state %q, %d logins (%v)", r.State, s.users, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if len(s.all()) != 0 || s.users != 0 {
				t.Error("the mail or the password was given away")
			}
			if c.want == "needs attention" && w.book.Health("support").State != "needs_attention" {
				t.Errorf("health = %+v", w.book.Health("support"))
			}
		})
	}
}

// What a hostile customer or agent puts into names and subjects never becomes
// a header or a recipient, as the server's bytes show.
func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"x\r\nBcc: eve@evil.test", "x\nBcc: eve@evil.test", "x\rBcc: eve@evil.test", "x\x00y", "x\u2028Bcc: eve@evil.test", "x\u0085Bcc: e@e.e",
		`"a,b" <eve@evil.test>`, "a, eve@evil.test", "\u202Egpj.exe", strings.Repeat("long ", 300), "=?utf-8?q?x=0D=0ABcc:_eve=40evil.test?=", "\r\n\r\nbody", "x\r\n.\r\nMAIL FROM:<eve@evil.test>",
	} {
		t.Run(fmt.Sprintf("%.20q", evil), func(t *testing.T) {
			t.Parallel()
			s := newScript(t, nil)
			in := outbox(port(t, s.l), nil)
			in.Name = evil
			w := newWorld(t, in)
			key, _, err := w.blobs.Put(t.Context(), "k", strings.NewReader("x"), 10)
			if err != nil {
				t.Fatal(err)
			}
			out := outbound()
			out.Subject, out.AuthorName, out.To.Name = evil, evil, evil
			out.InReplyTo, out.References = evil, []string{evil, "ok@example.org", evil}
			out.Content.Attachments = []channel.Attachment{{Name: evil, ContentType: evil, ContentID: evil, Blob: key}}
			r, err := w.sender(t).Send(t.Context(), out)
			if err != nil || r.State != channel.StateSent {
				t.Fatalf("state %q (%v)", r.State, err)
			}
			lines, data := s.sent()
			var envelope []string
			for _, l := range lines {
				if strings.HasPrefix(l, "MAIL") || strings.HasPrefix(l, "RCPT") {
					envelope = append(envelope, l)
				}
			}
			if diff := cmp.Diff([]string{"MAIL FROM:<support@shop.test> BODY=8BITMIME", "RCPT TO:<ada@example.org>"}, envelope); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
			if len(data) != 1 {
				t.Fatalf("%d mails, want 1", len(data))
			}
			var names []string
			for _, l := range headerLines(data[0]) {
				name, _, _ := strings.Cut(l, ":")
				names = append(names, name)
			}
			slices.Sort(names)
			want := []string{"Content-Type", "Date", "From", "Message-Id", "Mime-Version", "References", "Subject", "To"}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("headers (-want +got):\n%s\n%s", diff, data[0])
			}
			for l := range strings.SplitSeq(data[0], "\r\n") {
				if strings.ContainsAny(l, "\r\n\x00") || len(l) > 998 {
					t.Errorf("line %q", l)
				}
				if strings.HasPrefix(strings.ToLower(l), "bcc:") {
					t.Errorf("injected %q", l)
				}
			}
		})
	}
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for _, to := range []string{
		"", "ada", "ada@", "@example.org", "ada@example.org\r\nRCPT TO:<eve@evil.test>", "ada@example.org,eve@evil.test", "<ada@example.org>", "ada@example.org> NOTIFY=x", "a b@example.org",
		"ada@exa mple.org", "ada@example.org\x00", "x: ada@example.org;", "unknown-1234@sender.invalid",
	} {
		s := newScript(t, nil)
		w := newWorld(t, outbox(port(t, s.l), nil))
		out := outbound()
		out.To.Address = to
		r, err := w.sender(t).Send(t.Context(), out)
		lines, _ := s.sent()
		if err != nil || r.State != channel.StateFailed || len(lines) > 0 {
			t.Errorf("to %q: state %q (%v), %q", to, r.State, err, lines)
		}
	}
}

// A body cannot end the mail early (SMTP smuggling): a strict server sees one mail with all of it.
func TestBodyCannotEndTheMail(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"a\r\n.\r\nMAIL FROM:<e@e.e>", "a\n.\nb", "a\r.\rb", "a\n.\r\nb", "a\r\n.\nb", ".", "..\n.x", "\r\r\n.\r\n"} {
		s := newScript(t, nil)
		w := newWorld(t, outbox(port(t, s.l), nil))
		out := outbound()
		out.Content.Text = body
		if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("%q: state %q (%v)", body, r.State, err)
		}
		lines, data := s.sent()
		if len(data) != 1 || slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "e@e.e") }) {
			t.Errorf("%q: %d mails, commands %q", body, len(data), lines)
		}
		for l := range strings.SplitSeq(strings.TrimSuffix(data[0], "\r\n"), "\r\n") {
			if strings.ContainsAny(l, "\r\n") {
				t.Errorf("%q: bare line end in %q", body, l)
			}
		}
	}
}

func TestAutomaticMailSaysSo(t *testing.T) {
	t.Parallel()
	for _, answers := range []map[string]string{nil, {"MAIL <>": "550 5.1.7 empty sender not allowed"}} {
		s := newScript(t, answers)
		w := newWorld(t, outbox(port(t, s.l), nil))
		out := outbound()
		out.Automatic = true
		if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("state %q (%v)", r.State, err)
		}
		lines, data := s.sent()
		if headerOf(data[0], "Auto-Submitted") != "auto-replied" {
			t.Error("Auto-Submitted is missing")
		}
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "MAIL") }); !strings.HasPrefix(lines[i], "MAIL FROM:<>") {
			t.Errorf("first %q", lines[i])
		}
		items, err := testParser().Parse(testRaw([]byte(data[0])))
		if err != nil || !slices.Contains(items[0].Message.Flags, "auto_reply") {
			t.Errorf("our own parser does not see it is automatic (%v)", err)
		}
	}
}

func TestPlaintextOnlyToThisMachine(t *testing.T) {
	t.Parallel()
	base := func(more map[string]string) map[string]string {
		return outbox("25", more).Settings
	}
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{base(nil), ""},
		{base(map[string]string{"smtp_host": "mail.example.org"}), "smtp_tls: none is allowed to this machine only"},
		{base(map[string]string{"smtp_host": "mail.example.org", "smtp_plaintext": "yes"}), ""},
		{base(map[string]string{"smtp_host": "mail.example.org", "smtp_tls": "implicit"}), ""},
		{base(map[string]string{"imap_host": "mail.example.org", "imap_password": "x", "imap_tls": "none"}), "imap_tls: none"},
		{base(map[string]string{"imap_host": "mail.example.org"}), "imap_password: is required"},
		{base(map[string]string{"smtp_tls": "maybe"}), `smtp_tls: "maybe" is not allowed; allowed are implicit, starttls, none`},
		{base(map[string]string{"smtp_port": "99999"}), "smtp_port"},
		{base(map[string]string{"address": "not one"}), "address"},
		{base(map[string]string{"address": "a@b.c\r\nX: y"}), "address"},
		{base(map[string]string{"smtp_wait": "1s"}), "smtp_wait"},
		{base(map[string]string{"mask": "card"}), "mask: \"card\" is not allowed; allowed are off, cards, cards,secrets"},
		{base(map[string]string{"smpt_host": "x"}), "smpt_host: no such setting"},
		{map[string]string{"address": "a@b.c"}, "imap_host or smtp_host is required"},
		{base(map[string]string{"verify": "own", "mx_host": "mx.example.org, .mx.example.net, 192.0.2.0/24, 2001:db8::1"}), ""},
		{base(map[string]string{"verify": "authserv", "authserv_id": "mx.example.org"}), ""},
		{base(map[string]string{"verify": "yes"}), `verify: "yes" is not allowed; allowed are off, authserv, own`},
		{base(map[string]string{"verify": "authserv"}), "authserv_id: is required where verify is authserv"},
		{base(map[string]string{"authserv_id": "mx.example.org; dmarc=pass"}), "authserv_id: "},
		{base(map[string]string{"mx_host": "mx.example.org:25"}), `mx_host: "mx.example.org:25" is not a host name`},
		{base(map[string]string{"mx_host": "*.example.org"}), "mx_host: "},
	} {
		err := email.Check(c.set)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c.set, err, c.want)
		}
	}
}
