package console

import (
	"net/http"
	"time"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"golang.org/x/time/rate"
)

// The pages behind single-use links take so many requests from one network.
const (
	proveEvery = 6 * time.Second
	proveBurst = 20
)

// prove hands the page of a link, which customers open, to the conversation
// target. Nobody is logged in there; the token is what it is about.
func (c *Console) prove(w http.ResponseWriter, r *http.Request) {
	if !c.proofs.take("prove/"+clientNetwork(r), proveEvery, proveBurst) {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many requests. Wait 30 seconds, then try again.", http.StatusTooManyRequests)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	who := actor.Actor{Kind: audit.KindAnonymous, From: clientAddress(r)}
	c.deps.Backend.ServeHTTP(w, r.WithContext(actor.With(r.Context(), who)))
}

// take counts one request in a bucket of its own.
func (l *loginLimiter) take(key string, every time.Duration, burst int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.by) > 50_000 { // as in allow
		clear(l.by)
	}
	lim := l.by[key]
	if lim == nil {
		lim = rate.NewLimiter(rate.Every(every), burst)
		l.by[key] = lim
	}
	return lim.AllowN(l.now(), 1)
}
