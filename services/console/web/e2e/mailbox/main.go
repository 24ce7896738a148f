// Command mailbox is a mail server for browser tests: an IMAP mailbox in memory
// and an SMTP server that keeps what it is given. It prints its two ports as
// one JSON line. Then every line of standard input is a JSON string, a mail
// put into the mailbox, and every line of standard output one that was sent.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	user     = "support@desk.test"
	password = "mailbox"
	largest  = 32 << 20
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run serves until stdin ends.
func run(stdin io.Reader, stdout io.Writer) error {
	out := &printer{enc: json.NewEncoder(stdout)}
	box := imapmemserver.NewUser(user, password)
	if err := box.Create("INBOX", nil); err != nil {
		return err
	}
	imapListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	smtpListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mem := imapmemserver.New()
	mem.AddUser(box)
	in := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	sink := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{out: out}, nil }))
	sink.Domain, sink.AllowInsecureAuth, sink.MaxMessageBytes = "desk.test", true, largest
	var wg sync.WaitGroup
	wg.Go(func() { _ = in.Serve(imapListener) })
	wg.Go(func() { _ = sink.Serve(smtpListener) })
	out.print(map[string]int{"imap": port(imapListener), "smtp": port(smtpListener)})

	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, largest)
	for lines.Scan() {
		var raw string
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			return err
		}
		if _, err := box.Append("INBOX", literal{strings.NewReader(raw)}, &imap.AppendOptions{}); err != nil {
			return err
		}
	}
	in.Close()
	sink.Close()
	wg.Wait()
	return lines.Err()
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// printer writes one value a line.
type printer struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (p *printer) print(v any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.enc.Encode(v)
}

// session takes one mail after another.
type session struct{ out *printer }

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, given, pass string) error {
		if given != user || pass != password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.out.print(string(raw))
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
