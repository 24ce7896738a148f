package hubtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Sent is a mail as the server got it.
type Sent struct {
	From   string
	To     []string
	Raw    []byte
	Header mail.Header
}

// MessageID is without angle brackets.
func (s Sent) MessageID() string { return trimID(s.Header.Get("Message-Id")) }

func trimID(s string) string {
	return string(bytes.Trim([]byte(s), "<> \t"))
}

// Answer is what the server does with a mail it has read to its end.
type Answer struct {
	Code   int    // 0: takes it
	Text   string // behind the code
	HangUp bool   // takes it, and closes the connection without a word
}

// Sink is an SMTP server that keeps every mail it took.
type Sink struct {
	srv *smtp.Server
	ln  net.Listener
	wg  sync.WaitGroup

	board
	login   atomic.Pointer[SignIn]
	mails   []Sent
	answers []Answer
	refused int
}

// NewSink serves until Close.
func NewSink() (*Sink, error) {
	s := &Sink{}
	s.srv = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{sink: s, conn: c}, nil }))
	s.srv.Domain, s.srv.AllowInsecureAuth, s.srv.MaxMessageBytes = "mx.test", true, 60<<20
	s.srv.ErrorLog = log.New(io.Discard, "", 0)
	s.srv.ReadTimeout, s.srv.WriteTimeout = time.Minute, time.Minute
	var err error
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for SMTP: %w", err)
	}
	s.wg.Go(func() { _ = s.srv.Serve(s.ln) })
	return s, nil
}

// Addr is where it listens.
func (s *Sink) Addr() string { return s.ln.Addr().String() }

// Close ends the server and waits for it.
func (s *Sink) Close() {
	s.srv.Close()
	s.wg.Wait()
}

// Next queues answers: one for each mail to come, in order. After them, mails are taken.
func (s *Sink) Next(a ...Answer) {
	s.change(func() { s.answers = append(s.answers, a...) })
}

// Mails taken so far, oldest first.
func (s *Sink) Mails() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent(nil), s.mails...)
}

// Refused is how many mails were answered with a code.
func (s *Sink) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Wait waits until n mails were taken.
func (s *Sink) Wait(ctx context.Context, n int) ([]Sent, error) {
	if !s.wait(ctx.Done(), func() bool { return len(s.mails) >= n }) {
		return nil, fmt.Errorf("the SMTP server took %d mails, wanted %d", len(s.Mails()), n)
	}
	return s.Mails(), nil
}

// WaitRefused waits until n mails were refused.
func (s *Sink) WaitRefused(ctx context.Context, n int) error {
	if !s.wait(ctx.Done(), func() bool { return s.refused >= n }) {
		return fmt.Errorf("the SMTP server refused %d mails, wanted %d", s.Refused(), n)
	}
	return nil
}

type session struct {
	sink *Sink
	conn *smtp.Conn
	cur  Sent
}

func (s *session) AuthMechanisms() []string {
	if s.sink.login.Load() != nil {
		return []string{sasl.OAuthBearer}
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	if s.sink.login.Load() != nil {
		return s.sink.login.Load().server(func() error { return nil }), nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != Address || pass != password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.cur = Sent{From: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.cur.To = append(s.cur.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("read mail: %w", err)
	}
	s.cur.Raw, s.cur.Header = raw, m.Header
	var a Answer
	s.sink.change(func() {
		if len(s.sink.answers) > 0 {
			a, s.sink.answers = s.sink.answers[0], s.sink.answers[1:]
		}
		if a.Code == 0 {
			s.sink.mails = append(s.sink.mails, s.cur)
		} else {
			s.sink.refused++
		}
	})
	switch {
	case a.HangUp:
		s.conn.Conn().Close()
	case a.Code != 0:
		return &smtp.SMTPError{Code: a.Code, EnhancedCode: smtp.EnhancedCode{a.Code / 100, 7, 1}, Message: a.Text}
	}
	return nil
}

func (s *session) Reset()        { s.cur = Sent{} }
func (s *session) Logout() error { return nil }
