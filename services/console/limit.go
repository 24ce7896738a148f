package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// loginLimiter slows guessing: per client network, per account from a network,
// and per account from everywhere.
type loginLimiter struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*rate.Limiter
}

func newLoginLimiter(now func() time.Time) *loginLimiter {
	return &loginLimiter{now: now, by: map[string]*rate.Limiter{}}
}

// allow takes a try from each bucket in turn and stops at the first empty one:
// who is refused by his network's takes nothing from an account's. One network
// alone can never empty the account's bucket and so lock its owner out.
func (l *loginLimiter) allow(account, network string) bool {
	account = digest(strings.ToLower(strings.TrimSpace(account))) // of one length, however long the input
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.by) > 50_000 { // bounded: forgetting only fills buckets again, and so many networks are not one guesser
		clear(l.by)
	}
	for _, b := range []struct {
		key   string
		every time.Duration
		burst int
	}{
		{"network/" + network, 5 * time.Second, 30},
		{"pair/" + network + "/" + account, 30 * time.Second, 10},
		{"account/" + account, 3 * time.Second, 100},
	} {
		lim := l.by[b.key]
		if lim == nil {
			lim = rate.NewLimiter(rate.Every(b.every), b.burst)
			l.by[b.key] = lim
		}
		if !lim.AllowN(l.now(), 1) {
			return false
		}
	}
	return true
}

// clientNetwork is the peer's address, or the /64 that one IPv6 subscriber
// has; forwarded headers are not believed.
func clientNetwork(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
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
