package email_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/inbox"
)

// postOffice is an IMAP server in memory with one user.
type postOffice struct {
	t    testing.TB
	user *imapmemserver.User
	l    net.Listener

	mu       sync.Mutex
	sessions int
	counts   map[string]int // commands
	mechs    []string       // of logins by SASL that were let in
	refused  imap.UID       // its content cannot be fetched
	throttle []*imap.Error  // for the next fetches of content, whatever mail
	pinned   uint32         // the UIDVALIDITY to tell, whatever it is; 0: what it is
}

type officeOptions struct {
	idle     bool
	starttls *tls.Config
	implicit *tls.Config
	bearer   *bearerRule // takes access tokens, and no passwords
	saslIR   bool
	caps     []imap.Cap // more that it offers
	unheard  []string   // mails that arrive as the first IDLE begins, of which it does not tell
}

func newPostOffice(t testing.TB, o officeOptions) *postOffice {
	t.Helper()
	p := &postOffice{t: t, user: imapmemserver.NewUser("support", "secret"), l: listen(t)}
	p.create("INBOX")
	caps := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range o.caps {
		if c != "" {
			caps[c] = struct{}{}
		}
	}
	if o.saslIR {
		caps[imap.CapSASLIR] = struct{}{}
	}
	if o.idle {
		caps[imap.CapIdle] = struct{}{}
	}
	mem := imapmemserver.New()
	mem.AddUser(p.user)
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			p.mu.Lock()
			p.sessions++
			s := &officeSession{Session: mem.NewSession(), office: p, unheard: o.unheard}
			o.unheard = nil
			p.mu.Unlock()
			if o.bearer != nil {
				return &bearerSession{officeSession: s, rule: o.bearer}, nil, nil
			}
			return s, nil, nil
		},
		Caps: caps, TLSConfig: o.starttls, InsecureAuth: o.starttls == nil, Logger: log.New(io.Discard, "", 0),
	})
	l := p.l
	if o.implicit != nil {
		l = tls.NewListener(l, o.implicit)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l) //nolint:errcheck // ends with the listener
	}()
	t.Cleanup(func() { p.l.Close(); srv.Close(); <-done })
	return p
}

// officeSession lets a test refuse the content of a mail.
type officeSession struct {
	imapserver.Session
	office  *postOffice
	unheard []string
}

// Idle of the memory server does not tell what came after "+ idling" and before it listens.
func (s *officeSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.office.deliver("INBOX", s.unheard...)
	s.unheard = nil
	return s.Session.Idle(w, stop)
}

func (s *officeSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	s.office.mu.Lock()
	refused := s.office.refused
	var later *imap.Error
	if len(o.BodySection) > 0 && len(s.office.throttle) > 0 {
		later, s.office.throttle = s.office.throttle[0], s.office.throttle[1:]
	}
	s.office.mu.Unlock()
	if later != nil {
		return later
	}
	if len(o.BodySection) > 0 {
		s.office.count("fetch")
	} else {
		s.office.count("list")
	}
	if uids, ok := set.(imap.UIDSet); ok && refused != 0 && len(o.BodySection) > 0 && uids.Contains(refused) {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "backend cannot read this"}
	}
	return s.Session.Fetch(w, set, o)
}

// Move is there only where MOVE is offered.
func (s *officeSession) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	return s.Session.(imapserver.SessionMove).Move(w, set, dest)
}

func (s *officeSession) Select(folder string, o *imap.SelectOptions) (*imap.SelectData, error) {
	s.office.count("select")
	data, err := s.Session.Select(folder, o)
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	if err == nil && s.office.pinned != 0 {
		data.UIDValidity = s.office.pinned
	}
	return data, err
}

func (s *officeSession) Status(folder string, o *imap.StatusOptions) (*imap.StatusData, error) {
	s.office.count("status")
	return s.Session.Status(folder, o)
}

func (p *postOffice) count(command string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts == nil {
		p.counts = map[string]int{}
	}
	p.counts[command]++
}

// commands counts what was asked for until now.
func (p *postOffice) commands() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

func (p *postOffice) refuse(uid imap.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = uid
}

func (p *postOffice) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions
}

func (p *postOffice) create(folder string) {
	p.t.Helper()
	if err := p.user.Create(folder, nil); err != nil {
		p.t.Fatal(err)
	}
}

// renew gives the folder a new UIDVALIDITY and no mails.
func (p *postOffice) renew(folder string) {
	p.t.Helper()
	if err := p.user.Delete(folder); err != nil {
		p.t.Fatal(err)
	}
	p.create(folder)
}

func (p *postOffice) deliver(folder string, mails ...string) {
	p.t.Helper()
	for _, m := range mails {
		if _, err := p.user.Append(folder, literal{bytes.NewReader([]byte(m)), int64(len(m))}, &imap.AppendOptions{}); err != nil {
			p.t.Fatal(err)
		}
	}
}

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

func mailNo(n int) string {
	return fmt.Sprintf("From: Ada <ada@example.org>\r\nTo: support@shop.test\r\nMessage-ID: <m%d@example.org>\r\nSubject: mail %d\r\n\r\nbody %d\r\n", n, n, n)
}

func mailboxOf(id, port string, more map[string]string) inbox.Inbox {
	set := map[string]string{
		"address": ownAddress, "imap_host": "127.0.0.1", "imap_port": port, "imap_tls": "none",
		"imap_username": "support", "imap_password": "secret", "imap_poll": "10s",
	}
	maps.Copy(set, more)
	return inbox.Inbox{ID: id, Channel: email.ChannelName, Name: "Acme Support", Settings: set, Rev: 1}
}

// scissors is a proxy that cuts the first connections after so many bytes from the server.
type scissors struct {
	l net.Listener

	mu   sync.Mutex
	cuts []int64 // for the next connections; none: no cut
	conn []net.Conn
}

func newScissors(t testing.TB, to string, cuts ...int64) *scissors {
	t.Helper()
	s := &scissors{l: listen(t), cuts: cuts}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		s.l.Close()
		s.mu.Lock()
		for _, c := range s.conn {
			c.Close()
		}
		s.mu.Unlock()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			client, err := s.l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			s.mu.Lock()
			s.conn = append(s.conn, client, server)
			limit := int64(1 << 60)
			if len(s.cuts) > 0 {
				limit, s.cuts = s.cuts[0], s.cuts[1:]
			}
			s.mu.Unlock()
			wg.Go(func() { io.Copy(server, client); server.Close() })                        //nolint:errcheck // ends with either side
			wg.Go(func() { io.Copy(client, io.LimitReader(server, limit)); client.Close() }) //nolint:errcheck // ends with either side
		}
	})
	return s
}
