package hubtest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/weftline/weftline/services/hub/demo"
)

// Credentials of the mailbox and of the SMTP server.
const (
	Address  = "support@shop.test"
	password = "secret"
)

// Mailbox is an IMAP server in memory with one INBOX.
type Mailbox struct {
	user *imapmemserver.User
	srv  *imapserver.Server
	ln   net.Listener
	wg   sync.WaitGroup

	login atomic.Pointer[SignIn]
}

// NewMailbox serves until Close.
func NewMailbox() (*Mailbox, error) {
	m := &Mailbox{user: imapmemserver.NewUser(Address, password)}
	if err := m.user.Create("INBOX", nil); err != nil {
		return nil, fmt.Errorf("create INBOX: %w", err)
	}
	mem := imapmemserver.New()
	mem.AddUser(m.user)
	m.srv = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s := demo.Prompt(mem.NewSession())
			if rule := m.login.Load(); rule != nil {
				return &signedIn{SessionIMAP4rev2: s.(imapserver.SessionIMAP4rev2), rule: rule}, nil, nil
			}
			return s, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}, imap.CapMove: {}, imap.CapUIDPlus: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	var err error
	if m.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for IMAP: %w", err)
	}
	m.wg.Go(func() { _ = m.srv.Serve(m.ln) })
	return m, nil
}

// SignIn makes mailbox and sink take access tokens and no passwords. Before a hub uses them.
func (m *Mailbox) SignIn(rule *SignIn, s *Sink) {
	m.login.Store(rule)
	s.login.Store(rule)
}

// Close ends the server and waits for it.
func (m *Mailbox) Close() {
	m.srv.Close()
	m.wg.Wait()
}

// Deliver appends a mail. Line ends may be LF.
func (m *Mailbox) Deliver(mail []byte) error {
	mail = bytes.ReplaceAll(bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if _, err := m.user.Append("INBOX", literal{bytes.NewReader(mail)}, &imap.AppendOptions{Time: time.Now()}); err != nil {
		return fmt.Errorf("append mail: %w", err)
	}
	return nil
}

// Holds is how many mails a folder has; 0 also where there is no such folder.
func (m *Mailbox) Holds(folder string) int {
	data, err := m.user.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil || data.NumMessages == nil {
		return 0
	}
	return int(*data.NumMessages)
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// Settings of an email inbox that reads this mailbox and sends by sink.
func (m *Mailbox) Settings(s *Sink) map[string]string {
	host, imapPort, _ := net.SplitHostPort(m.ln.Addr().String())
	_, smtpPort, _ := net.SplitHostPort(s.ln.Addr().String())
	return map[string]string{
		"address":   Address,
		"imap_host": host, "imap_port": imapPort, "imap_tls": "none", "imap_username": Address, "imap_password": password,
		"smtp_host": host, "smtp_port": smtpPort, "smtp_tls": "none", "smtp_username": Address, "smtp_password": password,
	}
}
