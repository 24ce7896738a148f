package safedial_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/safedial"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "2001:db8::1", "2002:7f00:1::", "ff02::1", "198.18.0.1",
	} {
		if safedial.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is called public", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"} {
		if !safedial.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is called private", s)
		}
	}
}

func TestPrivateIsRefusedHoweverItIsSpelt(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inside was reached") }))
	defer srv.Close()
	port := srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	c := safedial.Client(safedial.Config{})
	for _, u := range []string{srv.URL, "http://localhost" + port, "http://127.1" + port, "http://[::ffff:127.0.0.1]" + port, "http://0" + port, "http://user@127.0.0.1" + port, "ftp://127.0.0.1/", "file:///etc/passwd"} {
		if res, err := c.Get(u); err == nil {
			res.Body.Close()
			t.Errorf("%s was fetched", u)
		}
	}
}

func TestARedirectInsideIsRefusedAtItsHop(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inside was reached") }))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	open := netip.MustParseAddrPort(strings.TrimPrefix(outside.URL, "http://"))
	c := safedial.Client(safedial.Config{Allow: func(a netip.AddrPort) bool { return a == open }})
	if _, err := c.Get(outside.URL); !errors.Is(err, safedial.ErrPrivate) {
		t.Fatalf("got %v", err)
	}
	loop := httptest.NewServer(nil)
	defer loop.Close()
	loop.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, loop.URL, http.StatusFound) })
	c = safedial.Client(safedial.Config{Allow: func(netip.AddrPort) bool { return true }})
	if _, err := c.Get(loop.URL); err == nil || !strings.Contains(err.Error(), "more than 3 redirects") {
		t.Fatalf("got %v", err)
	}
}

func TestDialReachesWhatIsAllowedAlone(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dial := safedial.Dial(safedial.Config{})
	for _, a := range []string{l.Addr().String(), "localhost:" + port, "[::ffff:127.0.0.1]:" + port, "169.254.169.254:2775", "10.0.0.1:2775"} {
		if c, err := dial(t.Context(), "tcp", a); !errors.Is(err, safedial.ErrPrivate) {
			t.Errorf("%s: %v, %v", a, c, err)
		}
	}
	here := netip.MustParsePrefix("127.0.0.0/8")
	dial = safedial.Dial(safedial.Config{Also: func(a netip.AddrPort) bool { return here.Contains(a.Addr().Unmap()) }})
	c, err := dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
