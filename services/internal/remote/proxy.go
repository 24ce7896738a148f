package remote

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Behind believes X-Forwarded-For of requests that come from a trusted proxy, and of
// nobody else: RemoteAddr becomes the last address in it that is no trusted proxy's. What
// stands before that one anybody could have written. Without trusted proxies it is next.
func Behind(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	proxy := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !proxy(peer.Addr().Unmap().WithZone("")) {
			next.ServeHTTP(w, r)
			return
		}
		named := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, name := range slices.Backward(named) {
			a, err := address(strings.TrimSpace(name))
			if err != nil {
				break // what is before it came through something that we do not know
			}
			if !proxy(a) {
				r = r.WithContext(r.Context())
				r.RemoteAddr = netip.AddrPortFrom(a, 0).String()
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// address reads an address that some proxies write with a port.
func address(s string) (netip.Addr, error) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err
}
