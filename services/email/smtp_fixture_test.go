package email_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-message"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/inbox"
)

// delivered is a mail as a server got it.
type delivered struct {
	from string
	to   []string
	data string
}

// sink is a real SMTP server (go-smtp) that keeps what it is sent.
type sink struct {
	l net.Listener

	mu    sync.Mutex
	mails []delivered
	users int // logins
	mechs []string

	bearer *bearerRule // set before use: takes access tokens, and no passwords
}

func newSink(t testing.TB, mode string, cfg *tls.Config) *sink {
	t.Helper()
	s := &sink{l: listen(t)}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }))
	srv.Domain, srv.ErrorLog = "mx.test", log.New(io.Discard, "", 0)
	srv.MaxMessageBytes = 60 << 20
	srv.AllowInsecureAuth = mode == "none"
	l := s.l
	switch mode {
	case "starttls":
		srv.TLSConfig = cfg
	case "implicit":
		l = tls.NewListener(l, cfg)
	}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }() //nolint:errcheck // ends with the listener
	t.Cleanup(func() { s.l.Close(); srv.Close(); <-done })
	return s
}

func (s *sink) all() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered(nil), s.mails...)
}

type sinkSession struct {
	sink *sink
	cur  delivered
}

func (s *sinkSession) AuthMechanisms() []string {
	if s.sink.bearer != nil {
		return s.sink.bearer.mechs
	}
	return []string{sasl.Plain}
}

func (s *sinkSession) Auth(mech string) (sasl.Server, error) {
	if s.sink.bearer != nil {
		return s.sink.bearer.server(mech, smtp.ErrAuthFailed, func() error {
			s.sink.mu.Lock()
			defer s.sink.mu.Unlock()
			s.sink.users++
			s.sink.mechs = append(s.sink.mechs, mech)
			return nil
		})
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "support" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.sink.mu.Lock()
		s.sink.users++
		s.sink.mu.Unlock()
		return nil
	}), nil
}

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.cur = delivered{from: from}
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.cur.to = append(s.cur.to, to)
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.cur.data = string(b)
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.mails = append(s.sink.mails, s.cur)
	return nil
}

func (s *sinkSession) Reset()        { s.cur = delivered{} }
func (s *sinkSession) Logout() error { return nil }

// script is a raw SMTP server: it answers each verb as told and keeps every
// byte it is sent. The answer "close" hangs up; "silent" says nothing more.
type script struct {
	l       net.Listener
	answers map[string]string

	mu    sync.Mutex
	lines []string
	data  []string
}

func newScript(t testing.TB, answers map[string]string) *script {
	t.Helper()
	s := &script{l: listen(t), answers: map[string]string{
		"greeting": "220 mx.test", "EHLO": "250-mx.test\r\n250 8BITMIME", "HELO": "250 mx.test", "MAIL": "250 ok", "RCPT": "250 ok",
		"DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye", "RSET": "250 ok",
	}}
	maps.Copy(s.answers, answers)
	var wg sync.WaitGroup
	quit := make(chan struct{})
	t.Cleanup(func() { close(quit); s.l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := s.l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				s.serve(conn, quit)
			})
		}
	})
	return s
}

func (s *script) serve(conn net.Conn, quit <-chan struct{}) {
	r := bufio.NewReader(conn)
	say := func(key string) bool {
		s.mu.Lock()
		a, ok := s.answers[key]
		s.mu.Unlock()
		switch {
		case !ok:
			a = "502 what"
		case a == "close":
			return false
		case a == "silent":
			<-quit
			return false
		}
		_, err := io.WriteString(conn, a+"\r\n")
		return err == nil
	}
	if !say("greeting") {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		s.mu.Lock()
		s.lines = append(s.lines, strings.TrimRight(line, "\r\n"))
		s.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		if verb == "MAIL" && strings.Contains(line, "<>") {
			s.mu.Lock()
			_, ok := s.answers["MAIL <>"]
			s.mu.Unlock()
			if ok {
				verb = "MAIL <>"
			}
		}
		if !say(verb) {
			return
		}
		s.mu.Lock()
		goOn := verb == "DATA" && strings.HasPrefix(s.answers["DATA"], "354")
		s.mu.Unlock()
		if !goOn {
			continue
		}
		var data strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line == ".\r\n" {
				break
			}
			data.WriteString(line)
		}
		s.mu.Lock()
		s.data = append(s.data, data.String())
		s.mu.Unlock()
		if !say(".") {
			return
		}
	}
}

func (s *script) sent() (lines, data []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...), append([]string(nil), s.data...)
}

func outbox(port string, more map[string]string) inbox.Inbox {
	set := map[string]string{"address": ownAddress, "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "smtp_wait": "5s"}
	maps.Copy(set, more)
	return inbox.Inbox{ID: "support", Channel: email.ChannelName, Name: "Acme Support", Settings: set, Rev: 1}
}

func unfold(s string) string {
	return strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(s)
}

func headerLines(data string) (lines []string) {
	head, _, _ := strings.Cut(data, "\r\n\r\n")
	for l := range strings.SplitSeq(unfold(head), "\r\n") {
		lines = append(lines, l)
	}
	return lines
}

func headerOf(data, name string) string {
	for _, l := range headerLines(data) {
		if v, ok := strings.CutPrefix(strings.ToLower(l), strings.ToLower(name)+": "); ok {
			return l[len(l)-len(v):]
		}
	}
	return ""
}

// alternatives decodes the text and the HTML of a mail without files.
func alternatives(t testing.TB, data string) (text, html string) {
	t.Helper()
	e, err := message.Read(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	err = e.Walk(func(_ []int, part *message.Entity, err error) error {
		ctype, _, _ := part.Header.ContentType()
		if err != nil || strings.HasPrefix(ctype, "multipart/") {
			return err
		}
		b, err := io.ReadAll(part.Body)
		s := strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
		if ctype == "text/html" {
			html = s
		} else {
			text = s
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, html
}
