package email

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// Resolver is the DNS as sender verification asks it; *net.Resolver is one.
// An error for a name without such records is a *net.DNSError with IsNotFound.
// Safe for concurrent use.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// How long answers are kept. Trouble is kept too, so that a domain whose servers
// are slow does not hold up every mail in its name.
const (
	answerTTL  = 5 * time.Minute
	troubleTTL = 30 * time.Second
	maxAnswers = 4096
)

// cached remembers a resolver's answers for a few minutes.
type cached struct {
	from Resolver

	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	value any
	err   error
	until time.Time
}

func newCached(from Resolver) *cached { return &cached{from: from, answers: map[string]answer{}} }

func (c *cached) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return look(ctx, c, "txt", absolute(name), c.from.LookupTXT)
}

func (c *cached) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return look(ctx, c, "mx", absolute(name), c.from.LookupMX)
}

func (c *cached) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return look(ctx, c, "ip", absolute(host), c.from.LookupIPAddr)
}

func (c *cached) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return look(ctx, c, "ptr", addr, c.from.LookupAddr)
}

// absolute keeps the search list of this machine out: a name of the world's is
// looked up in the world, not under the office's domain.
func absolute(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") + "." }

func look[T any](ctx context.Context, c *cached, kind, name string, ask func(context.Context, string) (T, error)) (T, error) {
	key := kind + " " + name
	c.mu.Lock()
	a, ok := c.answers[key]
	c.mu.Unlock()
	if ok && time.Now().Before(a.until) {
		value, _ := a.value.(T)
		return value, a.err
	}
	value, err := ask(ctx, name)
	ttl := answerTTL
	if err != nil {
		var e *net.DNSError
		if !errors.As(err, &e) {
			e = &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
		}
		if !e.IsNotFound {
			e = &net.DNSError{Err: e.Err, Name: name, IsTimeout: e.IsTimeout, IsTemporary: true}
			ttl = troubleTTL
		}
		err = e
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return value, err // it says nothing of the name
	}
	c.keep(key, answer{value, err, time.Now().Add(ttl)})
	return value, err
}

func (c *cached) keep(key string, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) >= maxAnswers {
		now := time.Now()
		for k, old := range c.answers {
			if now.After(old.until) {
				delete(c.answers, k)
			}
		}
		if len(c.answers) >= maxAnswers {
			clear(c.answers)
		}
	}
	c.answers[key] = a
}
