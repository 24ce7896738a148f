package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// Protocols of a MailListener.
const (
	SMTP = "smtp" // RFC 5321
	LMTP = "lmtp" // RFC 2033: an answer for each recipient; for your own mail server alone
)

// Email says how mail comes in beside mailboxes.
type Email struct {
	// Listen takes mail for the inboxes whose setting receive is listener. Default none.
	Listen []MailListener `koanf:"listen"`
}

// MailListener is an address on which mail is taken. Zero values of numbers become the defaults.
type MailListener struct {
	// Address is host:port, or an absolute path of a unix socket.
	Address  string `koanf:"address"`
	Protocol string `koanf:"protocol"` // smtp (default) or lmtp
	// Hostname is how it greets: the name in the MX record. Default localhost.
	Hostname string `koanf:"hostname"`
	// Cert and Key are PEM files; with them STARTTLS is offered. They are read again when they change.
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
	// RequireTLS refuses mail before STARTTLS.
	RequireTLS bool `koanf:"require_tls"`
	// MaxSize of a mail in MiB: 1 to 50, default 50.
	MaxSize int `koanf:"max_size"`
	// MaxRecipients of a mail: 1 to 1000, default 100.
	MaxRecipients int `koanf:"max_recipients"`
	// MaxConnections at once: 1 to 10000, default 200; and from one address (IPv6: one /64), default 20.
	MaxConnections           int `koanf:"max_connections"`
	MaxConnectionsPerAddress int `koanf:"max_connections_per_address"`
}

// Complete fills in defaults and says everything that is wrong, each with its key.
func (c MailListener) Complete() (MailListener, error) {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if c.Protocol == "" {
		c.Protocol = SMTP
	}
	if c.Protocol != SMTP && c.Protocol != LMTP {
		bad("protocol", "%q is not allowed: smtp or lmtp", c.Protocol)
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil && !filepath.IsAbs(c.Address) {
		bad("address", "%q is not allowed: host:port, or the absolute path of a unix socket", c.Address)
	}
	if c.Hostname == "" {
		c.Hostname = "localhost"
	}
	if strings.ContainsAny(c.Hostname, " \t\r\n/@:") || len(c.Hostname) > 253 {
		bad("hostname", "%q is not a host name", c.Hostname)
	}
	if (c.Cert == "") != (c.Key == "") {
		bad("cert", "cert and key go together")
	}
	if c.RequireTLS && c.Cert == "" {
		bad("require_tls", "needs cert and key")
	}
	number := func(key string, v *int, def, most int) {
		if *v == 0 {
			*v = def
		}
		if *v < 1 || *v > most {
			bad(key, "%d is not allowed: 1 to %d", *v, most)
		}
	}
	number("max_size", &c.MaxSize, 50, 50)
	number("max_recipients", &c.MaxRecipients, 100, 1000)
	number("max_connections", &c.MaxConnections, 200, 10_000)
	number("max_connections_per_address", &c.MaxConnectionsPerAddress, 20, 10_000)
	return c, errors.Join(errs...)
}

// Network is that of Address.
func (c MailListener) Network() string {
	if filepath.IsAbs(c.Address) {
		return "unix"
	}
	return "tcp"
}
