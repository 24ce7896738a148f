package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	dialTimeout    = 30 * time.Second
	commandTimeout = 60 * time.Second
)

// errAuth: the server refuses our name and password. A person must act.
var errAuth = errors.New("login refused")

// errGreeting: who listens there does not begin as an IMAP server does, over what we took for its encryption.
var errGreeting = errors.New("no imap greeting: port and encryption may be those of something else")

// imapConn is a logged-in connection. Not safe for concurrent use.
type imapConn struct {
	client *imapclient.Client
	net    net.Conn
	news   chan struct{} // something arrived in the selected folder
	// selected is the folder that is open, with its UIDVALIDITY.
	selected    string
	uidValidity uint32
	modSeqs     bool // its mails have mod-sequences (RFC 7162)
}

// dialIMAP connects and logs in. Certificates are checked, TLS is 1.2 or
// newer; a server that skips the login (PREAUTH) is refused. token is an access
// token in place of the password, or empty.
func dialIMAP(ctx context.Context, s server, token string, roots *x509.CertPool) (*imapConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dialer().DialContext(ctx, "tcp", s.address())
	if err != nil {
		return nil, fmt.Errorf("connect to imap server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var r net.Conn = conn
	if s.tls != "none" {
		if s.tls == "starttls" {
			if err := imapStartTLS(conn); err != nil {
				conn.Close()
				return nil, err
			}
		}
		t := tls.Client(conn, s.tlsConfig(roots))
		if err := t.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("tls with imap server: %w", err)
		}
		r = t
		if s.tls == "starttls" {
			r = &greeted{Conn: t, rest: strings.NewReader("* OK ready\r\n")} // the greeting was before TLS and says nothing
		}
	}
	c := &imapConn{net: conn, news: make(chan struct{}, 1)}
	c.client = imapclient.New(&guard{Conn: r}, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				c.signal()
			}
		},
	}})
	if err := c.login(s, token); err != nil {
		c.close()
		switch {
		case ctx.Err() != nil && errors.Is(err, errGreeting):
			err = fmt.Errorf("%w: %w", errGreeting, ctx.Err())
		case ctx.Err() != nil:
			err = fmt.Errorf("log in to imap server: %w", ctx.Err())
		}
		return nil, err
	}
	return c, nil
}

func (c *imapConn) login(s server, token string) error {
	if err := c.client.WaitGreeting(); err != nil {
		return fmt.Errorf("%w: %w", errGreeting, err)
	}
	if c.client.State() != imap.ConnStateNotAuthenticated {
		return errors.New("imap server skips the login (PREAUTH): refused")
	}
	refused, login := errAuth, func() error { return c.client.Login(s.username, s.password).Wait() }
	if token != "" {
		refused, login = errTokenRefused, func() error { return c.present(s, token) }
	}
	if err := login(); err != nil {
		var e *imap.Error
		if errors.As(err, &e) && e.Type == imap.StatusResponseTypeNo && e.Code != imap.ResponseCodeUnavailable && e.Code != imap.ResponseCodeServerBug && e.Code != imap.ResponseCodeInUse && e.Code != imap.ResponseCodeLimit {
			return fmt.Errorf("log in to imap server: %w: %s", refused, clip(toLine(e.Text), 200))
		}
		return fmt.Errorf("log in to imap server: %w", refusedBearer(err))
	}
	c.client.Caps() // asked for again: they change with the login
	return nil
}

// present logs in with an access token.
func (c *imapConn) present(s server, token string) error {
	port, _ := strconv.Atoi(s.port)
	caps := c.client.Caps()
	mech, ok := bearerClient(func(m string) bool { return caps.Has(imap.AuthCap(m)) }, s, port, token)
	if !ok {
		return fmt.Errorf("%w: the server takes no access tokens (neither OAUTHBEARER nor XOAUTH2)", errAuth)
	}
	return c.client.Authenticate(mech)
}

// do runs commands under a timeout: when it ends, or ctx does, the connection
// is cut, since a command cannot be taken back.
func (c *imapConn) do(ctx context.Context, timeout time.Duration, what string, fn func() error) error {
	tctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := context.AfterFunc(tctx, func() { c.net.Close() })
	defer stop()
	err := fn()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	if tctx.Err() != nil {
		return fmt.Errorf("%s: no answer in %s: %w", what, timeout, tctx.Err())
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (c *imapConn) signal() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// close ends the connection at once and waits for its reader.
func (c *imapConn) close() {
	c.net.Close()
	c.client.Close() //nolint:errcheck // it is closed already; this waits for the reader
}

// logout says goodbye, briefly.
func (c *imapConn) logout() {
	c.net.SetDeadline(time.Now().Add(2 * time.Second)) //nolint:errcheck // best effort
	c.client.Logout().Wait()                           //nolint:errcheck // best effort
	c.close()
}

// imapStartTLS asks for TLS on a fresh connection (RFC 9051 §6.2.1). It reads
// byte by byte up to the end of the answer, so nothing an attacker put behind
// it survives into the encrypted session.
func imapStartTLS(conn net.Conn) error {
	greeting, err := readLine(conn)
	if err != nil {
		return fmt.Errorf("imap greeting: %w", err)
	}
	if !strings.HasPrefix(strings.ToUpper(greeting), "* OK") {
		return errors.New("imap server skips the login or refuses us before STARTTLS")
	}
	if _, err := io.WriteString(conn, "s1 STARTTLS\r\n"); err != nil {
		return fmt.Errorf("send starttls: %w", err)
	}
	for range 20 {
		line, err := readLine(conn)
		if err != nil {
			return fmt.Errorf("imap starttls: %w", err)
		}
		if rest, ok := strings.CutPrefix(line, "s1 "); ok {
			if !strings.HasPrefix(strings.ToUpper(rest), "OK") {
				return errors.New("imap server refuses STARTTLS")
			}
			return nil
		}
	}
	return errors.New("imap server does not answer STARTTLS")
}

func readLine(r io.Reader) (string, error) {
	var line []byte
	var b [1]byte
	for len(line) < 8192 {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, b[0])
	}
	return "", errWire
}

// greeted gives a greeting in front of what the connection says.
type greeted struct {
	net.Conn
	rest *strings.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if g.rest.Len() > 0 {
		return g.rest.Read(p)
	}
	return g.Conn.Read(p)
}
