package chat

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits are token buckets by what they guard and whom they count.
type limits struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*bucket
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// bucketIdle is after how long a bucket is forgotten; every bucket is full again by then.
const bucketIdle = 2 * time.Hour

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, by: map[string]*bucket{}}
}

// take counts one use of what by whom; n per period are allowed. When it is too
// much it says how long to wait.
func (l *limits) take(what, whom string, n int, per time.Duration) (wait time.Duration, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	k := what + "\x00" + whom
	b := l.by[k]
	limit := rate.Limit(float64(n) / per.Seconds())
	if b == nil {
		b = &bucket{Limiter: rate.NewLimiter(limit, n)}
		l.by[k] = b
	} else if b.Limit() != limit {
		b.SetLimitAt(now, limit)
		b.SetBurstAt(now, n)
	}
	b.used = now
	r := b.ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return d, false
	}
	return 0, true
}

func (l *limits) sweep() {
	old := l.now().Add(-bucketIdle)
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, b := range l.by {
		if b.used.Before(old) {
			delete(l.by, k)
		}
	}
}

// network is what is counted as one place: an IPv4 address, or the /64 that one IPv6 subscriber has.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
