// Package safedial is the HTTP client for URLs that strangers wrote: pictures
// in mail, media, webhooks; and the dialer for hosts that settings name. Whether an address may be reached is decided where
// the connection is made, on the IP itself, so neither names, redirects nor
// DNS answers that change can lead inside.
package safedial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate: the address is not of the public internet.
var ErrPrivate = errors.New("address is not public")

// notPublic are ranges that netip does not call private, yet are not the internet's:
// IANA's special-purpose registries (RFC 6890) and the ways IPv6 spells IPv4.
var notPublic = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// Public says whether ip belongs to the public internet.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.Zone() != "" {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// Config of a Client. Zero values take the defaults.
type Config struct {
	Timeout   time.Duration // for everything, body included; default 10 s
	Redirects int           // followed at most; default 3. Each hop is checked again
	Ports     []string      // allowed; default 80 and 443
	// Also allows addresses that are not public, whatever their port.
	Also func(netip.AddrPort) bool
	// Allow decides about an address instead of everything else, for tests.
	Allow func(netip.AddrPort) bool

	anyPort bool
}

// Client makes an HTTP client that only reaches public addresses over http and
// https. It uses no proxy, keeps no cookies and sends no Referer.
func Client(cfg Config) *http.Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Redirects == 0 {
		cfg.Redirects = 3
	}
	if cfg.Ports == nil {
		cfg.Ports = []string{"80", "443"}
	}
	d := cfg.dialer()
	return &http.Client{
		Timeout: cfg.Timeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return d.DialContext(ctx, network, addr)
			},
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
			ResponseHeaderTimeout:  cfg.Timeout,
			TLSHandshakeTimeout:    cfg.Timeout,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > cfg.Redirects {
				return fmt.Errorf("more than %d redirects", cfg.Redirects)
			}
			if r.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
				return errors.New("redirect from https to http")
			}
			r.Header.Del("Referer")
			return nil
		},
	}
}

// Dial makes connections that are not HTTP's: to public addresses, any port of
// them, and those of Also. Ports and Redirects are not looked at.
func Dial(cfg Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	cfg.anyPort = true
	return cfg.dialer().DialContext
}

func (c Config) dialer() *net.Dialer {
	return &net.Dialer{Timeout: c.Timeout, Control: func(_, address string, _ syscall.RawConn) error { return c.check(address) }}
}

// check looks at the real peer, after every name and redirect has been resolved.
func (c Config) check(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %q: %w", address, ErrPrivate)
	}
	if c.Allow != nil {
		if c.Allow(ap) {
			return nil
		}
		return ErrPrivate
	}
	if c.Also != nil && c.Also(ap) {
		return nil
	}
	allowed := c.anyPort
	for _, p := range c.Ports {
		allowed = allowed || p == fmt.Sprint(ap.Port())
	}
	if !allowed || !Public(ap.Addr()) {
		return ErrPrivate
	}
	return nil
}
