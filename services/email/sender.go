package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/weftline/weftline/pkg/channel"
)

// Sender sends the mail of one inbox over SMTP (RFC 5321). Safe for
// concurrent use; each mail has its own connection.
type Sender struct {
	svc   *Service
	inbox string
}

var _ channel.Sender = (*Sender)(nil)

// Send sends one mail. The Message-ID is the same for every attempt.
//
//   - The server took it: StateSent.
//   - The server refuses it for good (5xx to MAIL, RCPT, DATA or the mail itself), or
//     it cannot be written: StateFailed, with the server's words.
//   - The connection ends, or no word comes in smtp_wait, after the final dot was
//     written: StateUnknown. It may be delivered or not.
//   - Anything before that, 4xx, and trouble with settings, login or TLS: an
//     error; nothing was sent and a later attempt may work.
func (s *Sender) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	began := time.Now()
	r, err := s.send(ctx, out)
	s.svc.metrics.sendTime.Observe(time.Since(began).Seconds())
	result := string(r.State)
	if err != nil {
		result = "retry"
		if errors.Is(err, channel.ErrNeedsAttention) {
			s.svc.health.set(s.inbox, sending, stateNeedsAttention, "SMTP: "+clip(err.Error(), 300))
		}
	} else if r.State == channel.StateSent {
		s.svc.health.went(s.inbox)
	}
	s.svc.metrics.sent.WithLabelValues(result).Inc()
	return r, err
}

func (s *Sender) send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	r := channel.Receipt{Tenant: out.Tenant, Channel: ChannelName, Inbox: s.inbox, Outbound: out.ID, Customer: out.Customer, Attempt: out.Attempt}
	in, ok := s.svc.inboxes.Get(s.inbox)
	if !ok {
		return r, fmt.Errorf("send mail: inbox %s is gone: %w", s.inbox, channel.ErrNeedsAttention)
	}
	c, err := readConfig(in.Settings)
	if err != nil {
		return r, fmt.Errorf("send mail: %w: %w", channel.ErrNeedsAttention, err)
	}
	if c.smtp.host == "" {
		return r, fmt.Errorf("send mail: smtp_host is empty: %w", channel.ErrNeedsAttention)
	}
	m, err := s.compose(ctx, c, in.Name, out)
	if errors.Is(err, errUnsendable) {
		r.State, r.Detail, r.At = channel.StateFailed, clip(err.Error(), 400), time.Now()
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("send mail: %w", err)
	}
	r.ProviderID = m.messageID
	client, err := s.svc.openSMTP(ctx, s.inbox, c)
	if err != nil {
		return r, fmt.Errorf("send mail: %w", err)
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	client.SubmissionTimeout = c.smtpWait
	r.State, r.Detail, err = transact(ctx, client, m, out.Automatic)
	r.At = time.Now()
	if err != nil {
		return r, fmt.Errorf("send mail: %w", err)
	}
	if r.State == channel.StateSent {
		s.svc.fileSent(s.inbox, m)
	}
	return r, nil
}

// signed is what is sent: the content with the signatures of inbox and agent.
func (s *Sender) signed(ctx context.Context, c config, name string, out channel.Outbound) channel.Content {
	if out.Automatic {
		return out.Content
	}
	by := signatory{agent: toLine(out.AuthorName), inbox: name, addr: c.address}
	if s.svc.signature != nil && out.Author != "" {
		own, err := s.svc.signature(ctx, out.Author)
		if err != nil {
			s.svc.log.WarnContext(ctx, "an agent's signature could not be read; a mail goes without", "error", err)
		}
		by.own = clip(own, maxSignature)
	}
	return c.sig.sign(out.Content, by)
}

// transact gives the mail to a connected server.
func transact(ctx context.Context, client *smtp.Client, m composed, automatic bool) (channel.State, string, error) {
	if m.utf8 {
		if ok, _ := client.Extension("SMTPUTF8"); !ok {
			return channel.StateFailed, "the mail server does not take addresses beyond ASCII", nil
		}
	}
	opts := &smtp.MailOptions{Size: int64(len(m.data)), UTF8: m.utf8}
	from := m.from
	if automatic {
		from = "" // nobody answers an automatic mail (RFC 3834 §3.3)
	}
	err := client.Mail(from, opts)
	if code := smtpCode(err); automatic && code >= 500 && code != 530 {
		// Many submission servers take no empty sender.
		if err = client.Reset(); err == nil {
			err = client.Mail(m.from, opts)
		}
	}
	if err != nil {
		return refused(ctx, "MAIL", err)
	}
	if err := client.Rcpt(m.to, nil); err != nil {
		return refused(ctx, "RCPT", err)
	}
	w, err := client.Data()
	if err != nil {
		return refused(ctx, "DATA", err)
	}
	if _, err := w.Write(m.data); err != nil {
		return "", "", fmt.Errorf("smtp body: %w", err) // the dot was not written: the server drops it
	}
	if err := w.Close(); err != nil {
		if smtpCode(err) > 0 {
			return refused(ctx, "the mail", err)
		}
		return channel.StateUnknown, "the mail was sent, but the connection ended before the mail server confirmed it", nil
	}
	client.Quit() //nolint:errcheck // the mail is taken; goodbye is a courtesy
	return channel.StateSent, "", nil
}

// refused sorts the server's answer: for good, or for now.
func refused(ctx context.Context, step string, err error) (channel.State, string, error) {
	code := smtpCode(err)
	var e *smtp.SMTPError
	switch {
	case ctx.Err() != nil:
		return "", "", fmt.Errorf("smtp %s: %w", step, ctx.Err())
	case code == 530 || code == 534 || code == 535 || code == 538: // about our login, not about the mail
		return "", "", fmt.Errorf("smtp %s: %w: %w", step, channel.ErrNeedsAttention, err)
	case code >= 500 && code <= 599 && errors.As(err, &e):
		return channel.StateFailed, serverWords(e), nil
	}
	return "", "", fmt.Errorf("smtp %s: %w", step, err)
}

// serverWords are the server's own words, for people, without addresses.
func serverWords(e *smtp.SMTPError) string {
	s := fmt.Sprintf("%d", e.Code)
	if e.EnhancedCode[0] > 0 {
		s += fmt.Sprintf(" %d.%d.%d", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
	}
	return clip(addressLike.ReplaceAllString(s+" "+toLine(toUTF8([]byte(e.Message), "")), "…"), 400)
}

func smtpCode(err error) int {
	var e *smtp.SMTPError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// dialSMTP connects, encrypts and logs in; token is an access token in place of
// the password, or empty.
func dialSMTP(ctx context.Context, s server, token string, svc *Service) (*smtp.Client, error) {
	dctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dialer().DialContext(dctx, "tcp", s.address())
	if err != nil {
		return nil, fmt.Errorf("connect to smtp server: %w", err)
	}
	stop := context.AfterFunc(dctx, func() { conn.Close() })
	defer stop()
	var client *smtp.Client
	switch s.tls {
	case "implicit":
		t := tls.Client(conn, s.tlsConfig(svc.roots))
		if err := t.HandshakeContext(dctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("tls with smtp server: %w", err)
		}
		client = smtp.NewClient(t)
	case "starttls":
		// Refuses a server that does not offer it; what was buffered before is dropped.
		if client, err = smtp.NewClientStartTLS(conn, s.tlsConfig(svc.roots)); err != nil {
			conn.Close()
			return nil, fmt.Errorf("starttls with smtp server: %w", err)
		}
	default:
		client = smtp.NewClient(conn)
	}
	client.CommandTimeout = svc.timing.SMTPStep
	if err := client.Hello(helloName(conn)); err != nil {
		client.Close()
		return nil, fmt.Errorf("greet smtp server: %w", err)
	}
	if s.username != "" {
		if err := login(client, s, token); err != nil {
			client.Close()
			return nil, err
		}
	}
	return client, nil
}

// errLogin: what went wrong is the login, the server was reached.
var errLogin = errors.New("log in to smtp server")

// login uses the access token if there is one, else PLAIN, else LOGIN.
func login(client *smtp.Client, s server, token string) error {
	var mech sasl.Client
	switch {
	case token != "":
		port, _ := strconv.Atoi(s.port)
		bearer, ok := bearerClient(client.SupportsAuth, s, port, token)
		if !ok {
			return fmt.Errorf("%w: it takes no access tokens (neither OAUTHBEARER nor XOAUTH2): %w", errLogin, channel.ErrNeedsAttention)
		}
		mech = bearer
	case client.SupportsAuth(sasl.Plain):
		mech = sasl.NewPlainClient("", s.username, s.password)
	case client.SupportsAuth(sasl.Login):
		mech = sasl.NewLoginClient(s.username, s.password)
	default:
		return fmt.Errorf("%w: it offers neither PLAIN nor LOGIN: %w", errLogin, channel.ErrNeedsAttention)
	}
	err := refusedBearer(client.Auth(mech))
	if code := smtpCode(err); code >= 500 && token != "" {
		return fmt.Errorf("%w: %w: %w", errLogin, errTokenRefused, err)
	} else if code >= 500 {
		return fmt.Errorf("%w: %w: %w", errLogin, channel.ErrNeedsAttention, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errLogin, err)
	}
	return nil
}

// helloName is our address as a literal (RFC 5321 §4.1.3): a name would have to be true.
func helloName(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		return "localhost"
	}
	if strings.Contains(host, ":") {
		host, _, _ = strings.Cut(host, "%")
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}
