package console

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/remote"
	"golang.org/x/time/rate"
)

// loginLimiter slows guessing: per account from a network, per account from everywhere,
// and, since a whole company may come from one address, far less per network. A device
// that the agent has used before has a bucket of its own and needs none of these.
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
func (l *loginLimiter) allow(account, network, device string) bool {
	if device != "" {
		return l.take("device/"+device, 30*time.Second, 10)
	}
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
		{"network/" + network, time.Second, 300},
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

// clientNetwork is the client's network; package remote says who that is behind a proxy.
func clientNetwork(r *http.Request) string { return remote.Network(r.RemoteAddr) }
