package chat

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAllowed: exactly an allowed origin of the inbox, or the hub itself (the
// frame and the demo page are the hub's own). No origin, "null" and everything
// else are refused.
func (a *Adapter) originAllowed(c *config, origin, host string) bool {
	if origin == "" || origin == "null" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return false
	}
	if strings.EqualFold(u.Host, host) {
		return true
	}
	n, err := normalOrigin(origin)
	if err != nil {
		return false
	}
	if a.public != nil {
		if own, err := normalOrigin(a.public.Scheme + "://" + a.public.Host); err == nil && own == n {
			return true
		}
	}
	return slices.Contains(c.Origins, n)
}

// checkRequest is originAllowed for a request that must come from a page.
func (a *Adapter) checkRequest(c *config, r *http.Request) bool {
	if o := r.Header.Get("Origin"); o != "" {
		return a.originAllowed(c, o, r.Host)
	}
	// Browsers send no Origin with a same-origin GET.
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") != "cross-site"
}
