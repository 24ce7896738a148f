// Package demo is what a newcomer meets: a mailbox served in this process by
// real IMAP and SMTP servers, a shop page with the chat widget, and a scripted
// customer who writes by mail and goes on by chat. Nothing leaves the machine.
package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/weftline/weftline/services/internal/docstore"
)

const (
	collection = "demo_mails"
	login      = "support@demo.test"
	maxMail    = 10 << 20
)

// Mailbox is the demo's mail server. The memory server forgets at a restart,
// so every mail is kept in the state store and put back in the same order:
// UIDs stay what they were, as on any real server.
type Mailbox struct {
	docs     docstore.Store
	password string
	user     *imapmemserver.User
	imap     *imapserver.Server
	smtp     *smtp.Server
	imapLn   net.Listener
	smtpLn   net.Listener
	sent     chan Sent

	mu    sync.Mutex
	count int
}

// Sent is a mail the hub handed to the demo's SMTP server.
type Sent struct {
	To  []string
	Raw []byte
}

type mailDoc struct {
	Raw []byte    `json:"raw"`
	At  time.Time `json:"at"`
}

// Open starts both servers on loopback ports of their own.
func Open(ctx context.Context, docs docstore.Store) (*Mailbox, error) {
	if err := docs.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return nil, fmt.Errorf("demo mailbox: %w", err)
	}
	m := &Mailbox{docs: docs, password: rand.Text(), sent: make(chan Sent, 64)}
	m.user = imapmemserver.NewUser(login, m.password)
	if err := m.user.Create("INBOX", nil); err != nil {
		return nil, fmt.Errorf("demo mailbox: %w", err)
	}
	if err := m.putBack(ctx); err != nil {
		return nil, err
	}
	var err error
	if m.imapLn, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("demo mailbox: %w", err)
	}
	if m.smtpLn, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		m.imapLn.Close()
		return nil, fmt.Errorf("demo mailbox: %w", err)
	}
	mem := imapmemserver.New()
	mem.AddUser(m.user)
	m.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return Prompt(mem.NewSession()), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true, // loopback, inside this process
	})
	m.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }))
	m.smtp.Domain, m.smtp.AllowInsecureAuth, m.smtp.MaxMessageBytes = "demo.test", true, maxMail
	m.smtp.ReadTimeout, m.smtp.WriteTimeout = time.Minute, time.Minute
	return m, nil
}

// Run serves until ctx ends.
func (m *Mailbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { _ = m.imap.Serve(m.imapLn) })
	wg.Go(func() { _ = m.smtp.Serve(m.smtpLn) })
	<-ctx.Done()
	m.imap.Close()
	m.smtp.Close()
	wg.Wait()
	return nil
}

// Settings of the email inbox that uses this mailbox.
func (m *Mailbox) Settings() map[string]string {
	host, imapPort, _ := net.SplitHostPort(m.imapLn.Addr().String())
	_, smtpPort, _ := net.SplitHostPort(m.smtpLn.Addr().String())
	return map[string]string{
		"address":   login,
		"imap_host": host, "imap_port": imapPort, "imap_tls": "none", "imap_username": login, "imap_password": m.password,
		"smtp_host": host, "smtp_port": smtpPort, "smtp_tls": "none", "smtp_username": login, "smtp_password": m.password,
	}
}

// Deliver puts a mail into the inbox.
func (m *Mailbox) Deliver(ctx context.Context, raw []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := json.Marshal(mailDoc{Raw: raw, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%08d", m.count+1)
	if err := m.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: collection, Doc: docstore.Doc{ID: id, JSON: b}, Create: true}}}); err != nil {
		return fmt.Errorf("demo mail: %w", err)
	}
	return m.append(raw, time.Now())
}

// Count is how many mails the demo ever delivered.
func (m *Mailbox) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

func (m *Mailbox) putBack(ctx context.Context) error {
	return m.docs.Scan(ctx, collection, func(d docstore.Doc) error { // by id, which is the order
		var doc mailDoc
		if err := json.Unmarshal(d.JSON, &doc); err != nil {
			return fmt.Errorf("demo mail %s: %w", d.ID, err)
		}
		return m.append(doc.Raw, doc.At)
	})
}

func (m *Mailbox) append(raw []byte, at time.Time) error {
	if _, err := m.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: at}); err != nil {
		return fmt.Errorf("demo mailbox: %w", err)
	}
	m.count++
	return nil
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// session takes what the hub sends.
type session struct {
	box  *Mailbox
	auth bool
	to   []string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != login || password != s.box.password {
			return smtp.ErrAuthFailed
		}
		s.auth = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.auth {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxMail))
	if err != nil {
		return err
	}
	select {
	case s.box.sent <- Sent{To: s.to, Raw: raw}:
		return nil
	default:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "the demo's customer is busy, try again"}
	}
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }
