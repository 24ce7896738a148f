package listener_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/email/listener"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

// safe keeps what it is given, each provider id of an inbox once, as the intake does.
type safe struct {
	mu    sync.Mutex
	raws  []channel.Raw
	calls int
	fail  func(channel.Raw) error
	held  chan struct{} // closed: go on
}

func (s *safe) Accept(_ context.Context, inputs ...channel.Raw) error {
	if s.held != nil {
		<-s.held
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	for _, r := range inputs {
		if s.fail != nil {
			if err := s.fail(r); err != nil {
				return err
			}
		}
	}
next:
	for _, r := range inputs {
		for _, have := range s.raws {
			if have.Inbox == r.Inbox && have.ProviderID == r.ProviderID {
				continue next
			}
		}
		s.raws = append(s.raws, r)
	}
	return nil
}

func (s *safe) Report(context.Context, ...channel.Receipt) error { return nil }

func (s *safe) all() []channel.Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]channel.Raw(nil), s.raws...)
}

func (s *safe) failWith(f func(channel.Raw) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

var errFull = errors.New("disk is full")

// world is a running listener.
type world struct {
	safe *safe
	reg  *hostedtest.Registry
	addr string
	stop func() error
}

func listenerInbox(id string, set map[string]string) inbox.Inbox {
	set["receive"] = email.ReceiveListener
	return inbox.Inbox{ID: id, Channel: email.ChannelName, Name: id, Settings: set}
}

func shop() []inbox.Inbox {
	return []inbox.Inbox{
		listenerInbox("support", map[string]string{"address": "support@shop.test", "aliases": "help@shop.test, hilfe@müller.test"}),
		listenerInbox("sales", map[string]string{"address": "sales@shop.test"}),
		listenerInbox("rig", map[string]string{"address": "alice@rig.test"}),
		{ID: "mailbox", Channel: email.ChannelName, Settings: map[string]string{"address": "box@shop.test", "receive": "imap"}},
		{ID: "chat", Channel: "chat", Settings: map[string]string{"address": "chat@shop.test", "receive": "listener"}},
	}
}

func start(t *testing.T, cfg config.MailListener, s *safe) *world {
	t.Helper()
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	w := &world{safe: s, reg: hostedtest.Inboxes(shop()...)}
	l, err := listener.New([]config.MailListener{cfg}, listener.Deps{Intake: s, Inboxes: w.reg})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Open(); err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addresses()[0].String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return w
}

func (w *world) dial(t *testing.T) *smtp.Client {
	t.Helper()
	c, err := smtp.Dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// send is what a server says to a mail.
func send(c *smtp.Client, mail string, to ...string) error {
	return c.SendMail("ada@example.org", to, strings.NewReader(mail))
}

const letter = "From: Ada <ada@example.org>\r\nTo: support@shop.test\r\nSubject: Order\r\nMessage-ID: <m1@example.org>\r\n\r\nWhere is it?\r\n"

// code of a refusal, 0 for none.
func code(err error) int {
	var e *smtp.SMTPError
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return -1
	}
	return 0
}

// lines is a raw connection: what it reads after each line it writes.
type lines struct {
	net.Conn
	r *bufio.Reader
}

func (w *world) raw(t *testing.T, from string) *lines {
	t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a test's own bound
	return &lines{c, bufio.NewReader(c)}
}

// says reads one answer, all of its lines.
func (l *lines) says(t *testing.T) string {
	t.Helper()
	var all string
	for {
		line, err := l.r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) || line == "" {
			t.Fatalf("after %q: %v", all, err)
		}
		all += line
		if len(line) < 4 || line[3] != '-' {
			return all
		}
	}
}

func (l *lines) say(t *testing.T, s string) string {
	t.Helper()
	if _, err := fmt.Fprint(l, s+"\r\n"); err != nil {
		t.Fatal(err)
	}
	return l.says(t)
}

// writeCert writes a certificate for a name and the pool that trusts it.
func writeCert(t *testing.T, dir, name string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return pool
}
