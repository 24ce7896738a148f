package remote_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/weftline/weftline/services/internal/remote"
)

func TestWhoIsBehindAProxy(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tc := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"a stranger who writes it":       {"192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1:5"},
		"a proxy":                        {"10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7:0"},
		"what the client wrote before":   {"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7:0"},
		"two proxies":                    {"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.7, 10.1.1.1"}, "198.51.100.7:0"},
		"with a port":                    {"10.0.0.1:5", []string{"198.51.100.7:4711"}, "198.51.100.7:0"},
		"IPv6":                           {"[fd00::1]:5", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		"mapped":                         {"[::ffff:10.0.0.1]:5", []string{"198.51.100.7"}, "198.51.100.7:0"},
		"a proxy that says nothing":      {"10.0.0.1:5", nil, "10.0.0.1:5"},
		"something else than an address": {"10.0.0.1:5", []string{"198.51.100.7, unknown"}, "10.0.0.1:5"},
	} {
		got := ""
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = tc.peer, tc.forwarded
		remote.Behind(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
