package listener_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/intake"
)

// A mail is stored, byte for byte and with what was seen of its way, before 250.
func TestMailIsStoredBeforeItIsTaken(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	if err := send(w.dial(t), letter, "support@shop.test"); err != nil {
		t.Fatal(err)
	}
	raws := w.safe.all()
	if len(raws) != 1 || string(raws[0].Body) != letter || raws[0].Inbox != "support" || raws[0].Peek.Address != "ada@example.org" {
		t.Fatalf("stored %+v", raws)
	}
	via := raws[0].Via
	if via[email.ViaBy] != "smtp" || via[email.ViaClient] != "127.0.0.1" || via[email.ViaFrom] != "ada@example.org" || via[email.ViaTo] != "support@shop.test" || via[email.ViaHelo] != "localhost" {
		t.Errorf("via %v", via)
	}
	if w.reg.Health("support").LastIn.IsZero() {
		t.Error("the inbox's health does not tell of the mail")
	}
}

// It is no relay: only addresses of inboxes that receive so are taken.
func TestOnlyOurAddressesAreTaken(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]int{
		"support@shop.test": 0, "SUPPORT@Shop.Test": 0, "help@shop.test": 0, "support+order-7@shop.test": 0, "hilfe@xn--mller-kva.test": 0, "hilfe@müller.test": 0,
		"ada@example.org": 550, "box@shop.test": 550, "chat@shop.test": 550, "other@shop.test": 550, "+x@shop.test": 550, "support@shop.test.evil.test": 550,
		"support%evil.test@shop.test": 550, "support": 501, "@shop.test": 501,
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			w := start(t, config.MailListener{}, &safe{})
			c := w.raw(t, "")
			c.says(t)
			c.say(t, "EHLO client.test")
			c.say(t, "MAIL FROM:<ada@example.org> SMTPUTF8")
			got := 0
			if said := c.say(t, "RCPT TO:<"+to+">"); !strings.HasPrefix(said, "250") {
				fmt.Sscan(said[:3], &got) //nolint:errcheck // 0 fails below
			}
			if got != want {
				t.Errorf("answered %d, want %d", got, want)
			}
			if want != 0 {
				if said := c.say(t, "DATA"); said[0] != '5' {
					t.Errorf("DATA without a recipient: %s", said)
				}
			}
		})
	}
}

func TestNoLoginIsOffered(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	c := w.raw(t, "")
	c.says(t)
	if said := c.say(t, "EHLO client.test"); strings.Contains(said, "AUTH") || strings.Contains(said, "STARTTLS") {
		t.Errorf("offers %s", said)
	}
	if said := c.say(t, "AUTH PLAIN AGEAYg=="); said[0] != '5' {
		t.Errorf("a login: %s", said)
	}
}

// What cannot be stored is brought again; what never can be is refused.
func TestNotStoredIsNotTaken(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{fail: func(channel.Raw) error { return errFull }})
	if got := code(send(w.dial(t), letter, "support@shop.test")); got != 451 {
		t.Errorf("answered %d, want 451", got)
	}
	w.safe.failWith(func(channel.Raw) error { return &intake.InvalidError{Field: "inputs[0].body", Want: "less"} })
	if got := code(send(w.dial(t), letter, "support@shop.test")); got != 554 {
		t.Errorf("answered %d, want 554", got)
	}
	if n := len(w.safe.all()); n != 0 {
		t.Errorf("%d stored", n)
	}
	w.safe.failWith(nil)
	if err := send(w.dial(t), letter, "support@shop.test"); err != nil {
		t.Error(err)
	}
}

// The client never heard 250 and brings the mail again.
func TestLostAnswerMakesOneMail(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{held: make(chan struct{})})
	c := w.raw(t, "")
	c.says(t)
	for _, s := range []string{"EHLO client.test", "MAIL FROM:<ada@example.org>", "RCPT TO:<support@shop.test>", "DATA"} {
		c.say(t, s)
	}
	fmt.Fprint(c, letter+".\r\n")
	c.Close()
	close(w.safe.held)
	if err := send(w.dial(t), letter, "support@shop.test"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		w.safe.mu.Lock()
		calls := w.safe.calls
		w.safe.mu.Unlock()
		if calls == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d calls of the intake, want 2", calls)
		}
		<-time.After(5 * time.Millisecond)
	}
	if n := len(w.safe.all()); n != 1 {
		t.Errorf("%d stored, want 1", n)
	}
	// Another mail, and the same one from elsewhere, are other inputs.
	if err := send(w.dial(t), letter+"P.S.\r\n", "support@shop.test"); err != nil || len(w.safe.all()) != 2 {
		t.Errorf("another mail: %d stored (%v)", len(w.safe.all()), err)
	}
}

func TestOneMailForTwoInboxesIsOneEach(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	if err := send(w.dial(t), letter, "support@shop.test", "sales@shop.test", "help@shop.test"); err != nil {
		t.Fatal(err)
	}
	raws := w.safe.all()
	if len(raws) != 2 || raws[0].Inbox != "support" || raws[1].Inbox != "sales" || raws[0].Via[email.ViaTo] != "support@shop.test\nhelp@shop.test" || raws[1].Via[email.ViaTo] != "sales@shop.test" {
		t.Fatalf("stored %+v", raws)
	}
	// A blind copy is seen where it arrived.
	items, err := email.NewParser(crypt.NewDeterministic("x"), func(string) []string { return []string{"sales@shop.test"} }).Parse(raws[1])
	if err != nil || len(items[0].Message.To) != 1 || items[0].Message.To[0].Address != "sales@shop.test" {
		t.Errorf("to %+v (%v)", items, err)
	}
}

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	t.Parallel()
	s := &safe{fail: func(r channel.Raw) error {
		if r.Inbox == "sales" {
			return errFull
		}
		return nil
	}}
	dir, err := os.MkdirTemp("/tmp", "lmtp") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := start(t, config.MailListener{Protocol: "lmtp", Address: filepath.Join(dir, "s")}, s)
	conn, err := net.Dial("unix", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.Mail("ada@example.org", nil); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"sales@shop.test", "support@shop.test"} {
		if err := c.Rcpt(to, nil); err != nil {
			t.Fatal(err)
		}
	}
	d, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(d, letter)
	_, err = d.CloseWithLMTPResponse()
	var each smtp.LMTPDataError
	if lmtp, ok := err.(smtp.LMTPDataError); ok {
		each = lmtp
	}
	if len(each) != 1 || each["sales@shop.test"] == nil || each["sales@shop.test"].Code != 451 {
		t.Errorf("answers %v", err)
	}
	if raws := s.all(); len(raws) != 1 || raws[0].Inbox != "support" || raws[0].Via[email.ViaBy] != "lmtp" {
		t.Errorf("stored %+v", raws)
	}
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := writeCert(t, dir, "mx.shop.test", 1)
	w := start(t, config.MailListener{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), RequireTLS: true}, &safe{})
	if got := code(send(w.dial(t), letter, "support@shop.test")); got != 530 {
		t.Errorf("in clear: %d, want 530", got)
	}
	over := func() (string, error) {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		c, err := smtp.NewClientStartTLS(conn, &tls.Config{ServerName: "mx.shop.test", RootCAs: pool})
		if err != nil {
			return "", err
		}
		if err := send(c, letter, "support@shop.test"); err != nil {
			return "", err
		}
		state, _ := c.TLSConnectionState()
		return state.PeerCertificates[0].SerialNumber.String(), nil
	}
	if serial, err := over(); err != nil || serial != "1" {
		t.Fatalf("over TLS: certificate %s, %v", serial, err)
	}
	if raws := w.safe.all(); len(raws) != 1 || raws[0].Via[email.ViaTLS] != "TLS 1.3" {
		t.Errorf("stored %+v", raws)
	}
	// A renewed certificate is used without a restart; a broken one changes nothing.
	pool = writeCert(t, dir, "mx.shop.test", 2)
	later := time.Now().Add(time.Minute)
	for _, f := range []string{"cert.pem", "key.pem"} {
		if err := os.Chtimes(filepath.Join(dir, f), later, later); err != nil {
			t.Fatal(err)
		}
	}
	if serial, err := over(); err != nil || serial != "2" {
		t.Errorf("renewed: certificate %s, %v", serial, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if serial, err := over(); err != nil || serial != "2" {
		t.Errorf("broken: certificate %s, %v", serial, err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{MaxSize: 1, MaxRecipients: 2, MaxConnectionsPerAddress: 3}, &safe{})
	if got := code(send(w.dial(t), letter+strings.Repeat("x\r\n", 400<<10), "support@shop.test")); got != 552 {
		t.Errorf("a large mail: %d, want 552", got)
	}
	if got := code(send(w.dial(t), letter, "support@shop.test", "help@shop.test", "sales@shop.test")); got != 452 {
		t.Errorf("three recipients: %d, want 452", got)
	}
	if n := len(w.safe.all()); n != 0 {
		t.Errorf("%d stored", n)
	}
}

// One address has few connections; others go on.
func TestConnectionsOfOneAddress(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{MaxConnectionsPerAddress: 2, MaxConnections: 4}, &safe{})
	first := w.raw(t, "127.0.0.7")
	first.says(t)
	w.raw(t, "127.0.0.7").says(t)
	if said := w.raw(t, "127.0.0.7").says(t); !strings.HasPrefix(said, "421") {
		t.Errorf("a third one: %s", said)
	}
	other := w.raw(t, "127.0.0.8")
	if said := other.says(t); !strings.HasPrefix(said, "220") {
		t.Errorf("another address: %s", said)
	}
	first.say(t, "QUIT")
	first.Close()
	for end := time.Now().Add(time.Minute); ; { // the place is free once the server has seen the end
		if said := w.raw(t, "127.0.0.7").says(t); strings.HasPrefix(said, "220") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("after one has gone: %s", said)
		}
	}
}

func TestGuessingAddressesEnds(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	c := w.raw(t, "")
	c.says(t)
	c.say(t, "EHLO client.test")
	c.say(t, "MAIL FROM:<>")
	for i := range 20 {
		if said := c.say(t, fmt.Sprintf("RCPT TO:<a%d@shop.test>", i)); !strings.HasPrefix(said, "550") {
			t.Fatal(said)
		}
	}
	if said := c.say(t, "RCPT TO:<support@shop.test>"); !strings.HasPrefix(said, "421") {
		t.Errorf("goes on: %s", said)
	}
}

// Only CRLF.CRLF ends a mail: a bare line end cannot hide a second one in it (SMTP smuggling).
func TestBareLineEndsEndNothing(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	inner := "MAIL FROM:<boss@shop.test>\r\nRCPT TO:<sales@shop.test>\r\nDATA\r\nFrom: boss@shop.test\r\n\r\nPay.\r\n"
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r"} {
		if err := send(w.dial(t), "From: ada@example.org\r\nSubject: "+fmt.Sprintf("%q", end)+"\r\n\r\nHello"+end+inner, "support@shop.test"); err != nil {
			t.Fatal(err)
		}
	}
	raws := w.safe.all()
	if len(raws) != 4 {
		t.Fatalf("%d mails, want 4", len(raws))
	}
	for _, r := range raws {
		if r.Inbox != "support" || r.Via[email.ViaFrom] != "ada@example.org" {
			t.Errorf("smuggled: %v", r.Via)
		}
	}
}

// Who writes HTML on one line is heard, too: RFC 5321's 1000 bytes are kept by few.
func TestLongLinesAreTaken(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{})
	for _, n := range []int{2100, 1<<20 - 10} {
		if err := send(w.dial(t), letter+strings.Repeat("x", n)+"\r\n", "support@shop.test"); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if n := len(w.safe.all()); n != 2 {
		t.Errorf("%d mails stored", n)
	}
	// The server answers and hangs up; who is still writing then may not come to read the answer.
	err := send(w.dial(t), letter+strings.Repeat("x", 2<<20)+"\r\n", "support@shop.test")
	if said := code(err); said != 554 && said != -1 || said == 554 && !strings.Contains(err.Error(), "1048576") || len(w.safe.all()) != 2 {
		t.Errorf("beyond the limit: %v, %d mails stored", err, len(w.safe.all()))
	}
}

// A stop lets a mail that is being stored be stored and answered.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := start(t, config.MailListener{}, &safe{held: make(chan struct{})})
	idle := w.raw(t, "")
	idle.says(t)
	c := w.raw(t, "")
	c.says(t)
	for _, s := range []string{"EHLO client.test", "MAIL FROM:<ada@example.org>", "RCPT TO:<support@shop.test>", "DATA"} {
		c.say(t, s)
	}
	fmt.Fprint(c, letter+".\r\n")
	done := make(chan error, 1)
	go func() { done <- w.stop() }()
	if _, err := idle.r.ReadByte(); err == nil {
		t.Error("the idle connection stays")
	}
	close(w.safe.held)
	if said := c.says(t); !strings.HasPrefix(said, "250") {
		t.Errorf("answered %s", said)
	}
	c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]config.MailListener{
		"address:":         {Address: "25"},
		"protocol:":        {Address: ":25", Protocol: "uucp"},
		"cert:":            {Address: ":25", Cert: "x"},
		"require_tls:":     {Address: ":25", RequireTLS: true},
		"max_size:":        {Address: ":25", MaxSize: 51},
		"max_recipients:":  {Address: ":25", MaxRecipients: -1},
		"max_connections:": {Address: ":25", MaxConnections: 1 << 20},
		"hostname:":        {Address: ":25", Hostname: "a b"},
	} {
		if _, err := c.Complete(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %v", want, err)
		}
	}
}
