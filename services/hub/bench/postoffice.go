package bench

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// postOffice is an IMAP server in this process with a mailbox for each of many
// users. It speaks TLS, as providers do, since that is part of what a mailbox
// costs the hub; and it knows who is in IDLE.
type postOffice struct {
	roots  string // file with the certificate to trust
	users  []*imapmemserver.User
	l      net.Listener
	server *imapserver.Server
	done   sync.WaitGroup

	mu      sync.Mutex
	idle    map[string]bool
	changed chan struct{} // closed when idle changes
}

const postOfficePassword = "bench-password"

// openPostOffice writes the certificate that is to be trusted to roots, until close.
func openPostOffice(roots string, n int) (*postOffice, error) {
	p := &postOffice{roots: roots, idle: map[string]bool{}, changed: make(chan struct{})}
	cert, err := p.certificate()
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	mem := imapmemserver.New()
	for i := range n {
		u := imapmemserver.NewUser(userName(i), postOfficePassword)
		if err := u.Create("INBOX", nil); err != nil {
			return nil, fmt.Errorf("make mailbox %d: %w", i, err)
		}
		p.users = append(p.users, u)
		mem.AddUser(u)
	}
	if p.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("make a mail server: %w", err)
	}
	p.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &idleWatch{Session: mem.NewSession(), office: p}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	tlsl := tls.NewListener(p.l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	p.done.Go(func() { _ = p.server.Serve(tlsl) })
	return p, nil
}

// certificate makes one for 127.0.0.1 and writes it where the hub finds its roots.
func (p *postOffice) certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(p.roots, file, 0o600)
}

func (p *postOffice) close() {
	p.server.Close()
	p.l.Close()
	p.done.Wait()
	os.Remove(p.roots)
}

func userName(i int) string { return fmt.Sprintf("box%d@example.org", i) }

// inboxes is the configuration of the first n mailboxes.
func (p *postOffice) inboxes(n int) string {
	_, port, _ := net.SplitHostPort(p.l.Addr().String())
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - id: box%d\n    channel: email\n    settings: {address: %s, imap_host: 127.0.0.1, imap_port: %q, imap_username: %s, imap_password: %s}\n",
			i, userName(i), port, userName(i), postOfficePassword)
	}
	return b.String()
}

// deliver puts a mail into mailbox i.
func (p *postOffice) deliver(i int, mail []byte) error {
	_, err := p.users[i].Append("INBOX", literal{bytes.NewReader(mail)}, &imap.AppendOptions{Time: time.Now()})
	return err
}

// waitIdle waits until n users are in IDLE, as the server knows it.
func (p *postOffice) waitIdle(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	for {
		p.mu.Lock()
		now, changed := len(p.idle), p.changed
		p.mu.Unlock()
		if now >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d mailboxes are in IDLE: %w", now, n, ctx.Err())
		}
	}
}

// allIdle fails unless n users are in IDLE now.
func (p *postOffice) allIdle(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) != n {
		return fmt.Errorf("%d mailboxes are in IDLE, %d should be", len(p.idle), n)
	}
	return nil
}

func (p *postOffice) turn(user string, idle bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if idle {
		p.idle[user] = true
	} else {
		delete(p.idle, user)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// idleWatch tells the post office who is in IDLE.
type idleWatch struct {
	imapserver.Session
	office *postOffice
	user   string
}

func (s *idleWatch) Login(user, password string) error {
	err := s.Session.Login(user, password)
	if err == nil {
		s.user = user
	}
	return err
}

func (s *idleWatch) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if s.user == "" {
		return errors.New("nobody is logged in")
	}
	s.office.turn(s.user, true)
	defer s.office.turn(s.user, false)
	return s.Session.Idle(w, stop)
}
