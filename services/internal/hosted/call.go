package hosted

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
)

// Reply is a provider's answer, read to its end (at most Caller.Limit).
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK says whether the provider took it.
func (r Reply) OK() bool { return r.Status >= 200 && r.Status < 300 }

// ErrUnknown: the request may have arrived; nobody knows.
var ErrUnknown = errors.New("no answer: whether it arrived is not known")

// Caller calls a provider's API for the inboxes of one channel. Safe for concurrent use.
type Caller struct {
	// Delay finds how long to wait in a 429 of a provider that says it elsewhere
	// than in Retry-After; 0: nowhere. Set it before the first call.
	Delay func(Reply) time.Duration
	// Lane names what a provider limits apart within an account, such as its methods:
	// a 429 in one lane holds back that lane alone. nil: an account is one. Set it before the first call.
	Lane func(*http.Request) string
	// Limit is how much of an answer is read, in bytes; 0: 1 MiB. Set it before the first call.
	Limit int64

	client  *http.Client
	inboxes inbox.Registry
	gate    Gate
	now     func() time.Time
}

// NewCaller makes one. Without Inboxes nobody hears of their health.
func NewCaller(d Deps) *Caller {
	c := &Caller{client: d.Client, inboxes: d.Inboxes, now: d.WithDefaults().Now}
	if c.client == nil {
		c.client = safedial.Client(safedial.Config{Timeout: 30 * time.Second})
	}
	c.gate.now = c.now
	return c
}

// JSON makes a POST with a JSON body.
func JSON(ctx context.Context, address string, body any) (*http.Request, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b))
	if err != nil {
		return nil, Scrub(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// Form makes a POST with a form.
func Form(ctx context.Context, address string, values url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, Scrub(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, nil
}

// Do calls. An answer, whatever its status, comes back without an error but for these:
//
//   - 429: *channel.RetryAfterError; until then every call for the inbox, or in its
//     Lane, gets the same at once, and those of other inboxes go on.
//   - 401: wraps channel.ErrNeedsAttention, and the inbox's health says so.
//   - 5xx other than 501: temporary where nothing was done by the provider's word
//     (503), ErrUnknown otherwise.
//   - no answer: ErrUnknown when the request had been written, else temporary.
//
// An error names the host that was asked, never the rest of the address, which may carry a token.
func (c *Caller) Do(inboxID string, r *http.Request) (Reply, error) {
	lane := c.lane(inboxID, r)
	for _, of := range []string{lane, inboxID} {
		if err := c.gate.Closed(of); err != nil {
			return Reply{}, err
		}
	}
	var written atomic.Bool
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() { written.Store(true) },
	}))
	res, err := c.client.Do(r)
	if err != nil {
		return Reply{}, c.unanswered(r, err, written.Load())
	}
	defer res.Body.Close()
	reply := Reply{Status: res.StatusCode, Header: res.Header}
	reply.Body, err = io.ReadAll(io.LimitReader(res.Body, cmp.Or(c.Limit, 1<<20)))
	if err != nil && reply.OK() {
		return reply, fmt.Errorf("%w: the answer broke off", ErrUnknown)
	}
	return reply, c.judge(inboxID, lane, r.Method, reply)
}

func (c *Caller) lane(inboxID string, r *http.Request) string {
	if c.Lane == nil {
		return laneOf(r.Context(), inboxID)
	}
	return laneOf(r.Context(), inboxID) + "/" + c.Lane(r)
}

type asideKey struct{}

// Aside marks calls on which nothing depends: they wait when the account is
// asked to, and no message waits because of them.
func Aside(ctx context.Context) context.Context { return context.WithValue(ctx, asideKey{}, true) }

func laneOf(ctx context.Context, inboxID string) string {
	if ctx.Value(asideKey{}) != nil {
		return inboxID + "/aside"
	}
	return inboxID
}

func (c *Caller) unanswered(r *http.Request, err error, written bool) error {
	if errors.Is(err, safedial.ErrPrivate) {
		return fmt.Errorf("provider's %w", safedial.ErrPrivate)
	}
	if written && r.Method != http.MethodGet {
		return fmt.Errorf("%w (%s: %w)", ErrUnknown, r.URL.Host, Scrub(err))
	}
	return fmt.Errorf("%s does not answer: %w", r.URL.Host, Scrub(err))
}

func (c *Caller) judge(inboxID, lane, method string, r Reply) error {
	switch {
	case r.Status == http.StatusTooManyRequests:
		after := RetryAfter(r.Header, c.now())
		if c.Delay != nil {
			if d := c.Delay(r); d > 0 {
				after = d
			}
		}
		return c.gate.Close(lane, after)
	case r.Status == http.StatusUnauthorized:
		return c.Attention(inboxID, credentialsRefused)
	case r.Status == http.StatusServiceUnavailable, r.Status >= 500 && method == http.MethodGet:
		err := fmt.Errorf("provider answers %d", r.Status)
		if r.Header.Get("Retry-After") != "" {
			return &channel.RetryAfterError{After: RetryAfter(r.Header, c.now()), Err: err}
		}
		return err
	case r.Status >= 500 && r.Status != http.StatusNotImplemented:
		return fmt.Errorf("%w (provider answers %d)", ErrUnknown, r.Status)
	}
	return nil
}

// Hold closes the inbox's gate, or that for what is Aside, for providers that say so in the body of an answer.
func (c *Caller) Hold(ctx context.Context, inboxID string, after time.Duration) error {
	return c.gate.Close(laneOf(ctx, inboxID), after)
}

// Closed says whether the inbox's gate is: a provider that is not called by HTTP holds itself back so.
func (c *Caller) Closed(inboxID string) error { return c.gate.Closed(inboxID) }

// Attention marks the inbox and gives the error to return.
func (c *Caller) Attention(inboxID, detail string) error {
	c.health(inboxID, inbox.Health{State: "needs_attention", Detail: detail})
	return fmt.Errorf("%s: %w", detail, channel.ErrNeedsAttention)
}

// Sent notes a good send in the inbox's health.
func (c *Caller) Sent(inboxID string) {
	c.health(inboxID, inbox.Health{State: "ok", LastOut: c.now().UTC()})
}

func (c *Caller) health(inboxID string, h inbox.Health) {
	if c.inboxes != nil {
		c.inboxes.SetHealth(inboxID, h)
	}
}

// Scrub takes the address out of an HTTP client's error: its path may carry a token.
func Scrub(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// RetryAfter reads the header: seconds or a date; a minute where it says nothing (RFC 9110, section 10.2.3).
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return time.Minute
}
