package console

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// atHome says whether a request names the hub as its operator does: by the host of
// public_url, of the listen address, or by a loopback name. The first run trusts whoever comes
// first, and a page anywhere can have its own name lead to this machine (DNS
// rebinding) and then speak to the hub as its own site; the name it sends it cannot choose.
// Ports are not compared: proxies and containers change them.
func (c *Console) atHome(r *http.Request) bool {
	host := hostname(r.Host)
	if u, err := url.Parse(c.cfg.PublicURL); err == nil && host != "" && host == hostname(u.Host) {
		return true
	}
	listen := hostname(c.cfg.Listen)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost" || err == nil && ip.Unmap().IsLoopback():
		return true
	case err == nil:
		// Listening everywhere, each of the machine's addresses is one of ours. An address leads nowhere else.
		all, unspecified := netip.ParseAddr(listen)
		return host == listen || c.cfg.Listen != "" && (listen == "" || unspecified == nil && all.IsUnspecified())
	}
	return host != "" && host == listen
}

// hostname is the host of host[:port], in one form.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// refuseStrange answers requests for the first run that came by a name that is not ours.
func (c *Console) refuseStrange(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !c.atHome(r) {
			http.Error(w, "The first run is refused at this host name. Open it at the hub's public_url ("+c.cfg.PublicURL+"), its listen address, or localhost; "+
				"or set public_url to the address you use.", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
