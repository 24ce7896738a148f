package listener

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/inbox"
)

// guesses is how many addresses that are not ours a connection may try.
const guesses = 20

// Answers. None of them tells more than the client said himself.
var (
	errUnknown  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address here"}
	errGuessing = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "too many addresses that are not here"}
	errTLS      = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "must issue a STARTTLS command first"}
	errLater    = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not stored, bring it again"}
	errFull     = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "too many mails at once, bring it again"}
	errNever    = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "this mail cannot be stored"}
	errLine     = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "a line of the mail has more than 1048576 bytes"}
	errEmpty    = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "the mail is empty"}
)

// session is a connection's conversation. One goroutine at a time uses it.
type session struct {
	listener *Listener
	door     *door
	conn     *smtp.Conn
	accept   func(...channel.Raw) error

	from  string
	to    []recipient
	wrong int
}

// recipient is an address that was accepted, and whose it is.
type recipient struct {
	address string
	inboxes []string
}

var _ smtp.LMTPSession = (*session)(nil)

func (s *session) Reset() {
	s.from, s.to = "", nil
	s.busy(false)
}

func (s *session) Logout() error { return nil }

// busy keeps the connection open while a mail is on its way, when the listener stops.
func (s *session) busy(on bool) {
	c := s.conn.Conn()
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if g, ok := c.(*guest); ok {
		g.setBusy(on)
	}
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.wrong >= guesses {
		return errGuessing
	}
	if _, ok := s.conn.TLSConnectionState(); s.door.cfg.RequireTLS && !ok {
		return errTLS
	}
	s.from, s.to = from, nil
	s.busy(true)
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.wrong >= guesses {
		return errGuessing
	}
	r := recipient{address: to}
	for _, in := range s.listener.deps.Inboxes.List(email.ChannelName) {
		if in.Channel == email.ChannelName && in.Settings["receive"] == email.ReceiveListener && email.Owns(in.Settings, to) {
			r.inboxes = append(r.inboxes, in.ID)
		}
	}
	if len(r.inboxes) == 0 {
		s.wrong++
		s.listener.count("unknown_recipient")
		return errUnknown
	}
	s.to = append(s.to, r)
	return nil
}

// Data stores the mail for all of its recipients, or for none.
func (s *session) Data(r io.Reader) error {
	body, release, err := s.read(r)
	defer release()
	if err != nil {
		return err
	}
	var raws []channel.Raw
	for _, id := range s.inboxes() {
		raws = append(raws, s.raw(id, body))
	}
	if err := s.store(raws...); err != nil {
		return err
	}
	return nil
}

// LMTPData stores the mail inbox by inbox and answers for each recipient.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	body, release, err := s.read(r)
	defer release()
	if err != nil {
		return err
	}
	results := map[string]error{}
	for _, id := range s.inboxes() {
		results[id] = s.store(s.raw(id, body))
	}
	for _, to := range s.to {
		var failed error
		for _, id := range to.inboxes {
			if results[id] != nil {
				failed = results[id]
			}
		}
		status.SetStatus(to.address, failed)
	}
	return nil
}

func (s *session) read(r io.Reader) ([]byte, func(), error) {
	body, release, err := s.listener.held.read(r)
	var said *smtp.SMTPError
	switch {
	case errors.Is(err, errBusy):
		s.listener.count("busy")
		return nil, release, errFull
	case errors.Is(err, smtp.ErrTooLongLine):
		s.listener.count("too_large")
		return nil, release, errLine
	case errors.As(err, &said):
		s.listener.count("too_large")
		return nil, release, err
	case err != nil:
		return nil, release, err // the connection is gone, and with it the mail
	case len(body) == 0:
		return nil, release, errEmpty
	}
	return body, release, nil
}

// inboxes the mail is for, each once, in the order of RCPT.
func (s *session) inboxes() (ids []string) {
	for _, to := range s.to {
		for _, id := range to.inboxes {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (s *session) raw(id string, body []byte) channel.Raw {
	via := map[string]string{email.ViaBy: email.ViaSMTP, email.ViaHelo: clip(s.conn.Hostname(), 255), email.ViaFrom: clip(s.from, 320)}
	if s.door.cfg.Protocol == config.LMTP {
		via[email.ViaBy] = email.ViaLMTP
	}
	if a, ok := s.conn.Conn().RemoteAddr().(*net.TCPAddr); ok {
		via[email.ViaClient] = a.AddrPort().Addr().Unmap().WithZone("").String()
	}
	if state, ok := s.conn.TLSConnectionState(); ok {
		via[email.ViaTLS] = tls.VersionName(state.Version)
	}
	var to []string
	size := 0
	for _, r := range s.to {
		if size += len(r.address) + 1; slices.Contains(r.inboxes, id) && size < 8<<10 {
			to = append(to, r.address)
		}
	}
	via[email.ViaTo] = strings.Join(to, "\n")
	raw := email.Received(id, "", body, via)
	raw.ReceivedAt = time.Now().UTC()
	return raw
}

// store makes it durable; its errors are answers.
func (s *session) store(raws ...channel.Raw) error {
	err := s.accept(raws...)
	if err == nil {
		for _, r := range raws {
			s.listener.count("taken")
			s.listener.deps.Inboxes.SetHealth(r.Inbox, inbox.Health{LastIn: r.ReceivedAt})
		}
		return nil
	}
	s.listener.count("not_stored")
	s.listener.deps.Log.Error("mail could not be stored", "inboxes", len(raws), "error", err)
	var invalid interface{ Permanent() bool }
	if errors.As(err, &invalid) && invalid.Permanent() {
		return errNever
	}
	return errLater
}

func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
