// Package remote says who is at the other end of a request: the peer, or behind
// a proxy that the operator trusts the client that this proxy names.
package remote

import (
	"net"
	"net/netip"
)

// Network is what limits go by: the host of an address like http.Request.RemoteAddr,
// or for IPv6 the /64 that one subscriber has.
func Network(remoteAddr string) string {
	host, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		host = remoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	a = a.Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.String()
	}
	return a.String()
}
