// Package client reads a hub's public events and calls its inbox, for
// integrators. It needs an API token, made in the console.
package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/cloudevent"
)

// Config says which hub, and for Subscribe where to begin.
type Config struct {
	// URL of the hub, such as https://support.example.org.
	URL string
	// Token is an API token; Subscribe needs the scope events, Inbox the scope inbox.
	Token string

	// After is the cursor of the last event that was handled; empty: begin with
	// the first event there is.
	After string
	// Now begins with what happens from now on, when After is empty.
	Now bool
	// Types limits the events, such as "MessageReceived"; empty: all.
	Types []string

	// HTTP makes the requests; nil: a client of its own. It must not have a Timeout.
	HTTP *http.Client
	// Silence is how long nothing at all may come before the connection is taken for dead;
	// default 45 s. The hub sends a sign of life every 15 s.
	Silence time.Duration
	// MaxWait bounds the time between two attempts; default 30 s.
	MaxWait time.Duration
	// Moved, when set, is told cursors that moved on without an event that matches
	// Types. Store them like those of events, and a restart rereads nothing.
	Moved func(ctx context.Context, cursor string) error
	// Retry, when set, is told why a connection ended and when the next one is tried.
	Retry func(err error, wait time.Duration)
}

// Handler handles one event. cursor is the place after it: store it together
// with what the event caused and pass it as Config.After after a restart.
//
// Events come in order per customer and at least once: if the process ends
// between handling and storing the cursor, the event comes again, with the same ID.
type Handler func(ctx context.Context, e cloudevent.Event, cursor string) error

// Subscribe calls fn for every event, one at a time, and reconnects and resumes
// by itself. It ends with ctx's error, with fn's (as it is), or with an *Error
// that trying again would not mend: see ErrUnauthenticated and its neighbours.
func Subscribe(ctx context.Context, cfg Config, fn Handler) error {
	base, err := cfg.check()
	if err != nil {
		return err
	}
	s := &subscription{cfg: cfg, base: base, fn: fn, cursor: cfg.After, now: cfg.Now && cfg.After == ""}
	for attempt := 0; ; attempt++ {
		progress, err := s.connect(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case permanent(err):
			return unwrapHandler(err)
		}
		if progress {
			attempt = 0
		}
		wait := s.backoff(attempt)
		if cfg.Retry != nil {
			cfg.Retry(err, wait)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// check fills in defaults.
func (c *Config) check() (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("client: URL %q: want an http or https URL", c.URL)
	}
	if c.Token == "" {
		return nil, errors.New("client: Token is empty")
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	if c.Silence <= 0 {
		c.Silence = 45 * time.Second
	}
	if c.MaxWait <= 0 {
		c.MaxWait = 30 * time.Second
	}
	return u, nil
}

// backoff is full jitter: anything up to a bound that doubles, and at least
// what the hub asked for.
func (s *subscription) backoff(attempt int) time.Duration {
	bound := min(s.cfg.MaxWait, 250*time.Millisecond<<min(attempt, 16))
	wait := rand.N(bound + 1)
	asked := min(s.retry, s.cfg.MaxWait)
	s.retry = 0 // once
	return max(wait, asked)
}
