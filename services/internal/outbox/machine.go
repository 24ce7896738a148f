package outbox

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// state of a record; see the package comment.
type state string

const (
	stateNew     state = ""
	stateOpen    state = "open"
	stateRetry   state = "retry"
	stateUnknown state = "unknown"
	stateSent    state = "sent"
	stateFailed  state = "failed"
	stateLost    state = "lost"
)

func (s state) final() bool { return s == stateSent || s == stateFailed || s == stateLost }

// record is what is known about one outbound message. Stored: names stay.
type record struct {
	Round    int           `json:"round"`   // Outbound.Attempt as published: a person's "try again" makes a new round
	Attempt  int           `json:"attempt"` // of the last send, over all rounds
	Tries    int           `json:"tries,omitempty"`
	Unknowns int           `json:"unknowns,omitempty"` // of this round
	Doubt    bool          `json:"doubt,omitempty"`    // an earlier send may have gone out
	Looks    int           `json:"looks,omitempty"`    // times the provider did not know
	Asked    time.Time     `json:"asked,omitzero"`     // when it was first asked
	State    state         `json:"state"`
	Due      time.Time     `json:"due,omitzero"`
	Result   channel.State `json:"result,omitempty"`
	Provider string        `json:"provider_id,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	Done     bool          `json:"done"` // final; indexed with At for pruning
	At       int64         `json:"at"`   // last change, Unix milliseconds

	// Of this process only.
	pauses int  // times the inbox was paused or had no sender
	owed   bool // Result could not be reported yet
}

// Policy says how long to wait and when to give up.
type Policy struct {
	MinBackoff   time.Duration // default 30 s
	MaxBackoff   time.Duration // default 1 h
	GiveUp       time.Duration // default 5 days since the message was published
	UnknownDelay time.Duration // default 10 min between an unknown outcome and the one more try
	LookFor      time.Duration // default 24 h: how long a provider is asked what became of a send
	PausedPoll   time.Duration // default 10 s: at most this long after an inbox is back its messages go on
}

func (p Policy) withDefaults() Policy {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&p.MinBackoff, 30*time.Second)
	def(&p.MaxBackoff, time.Hour)
	def(&p.GiveUp, 5*24*time.Hour)
	def(&p.UnknownDelay, 10*time.Minute)
	def(&p.LookFor, 24*time.Hour)
	def(&p.PausedPoll, 10*time.Second)
	return p
}

// enter brings a record to the round a message belongs to. A round older than
// the record's has been overtaken: stale.
func (r record) enter(round int) (_ record, stale bool) {
	switch {
	case round < r.Round:
		return r, true
	case round == r.Round || r.State == stateSent:
		return r, false
	}
	next := record{Round: round, Attempt: max(r.Attempt, round-1)}
	// What the provider could not say may be known by now: it is asked anew.
	next.Doubt = r.Doubt || r.State == stateOpen || r.State == stateUnknown || r.State == stateLost
	return next, false
}

// open begins a send.
func (r record) open(now time.Time) record {
	r.State, r.Due = stateOpen, time.Time{}
	r.Attempt++
	return r.touch(now)
}

// doubted ends a send of which nobody knows whether it went out.
func (p Policy) doubted(r record, detail, providerID string, now time.Time) record {
	r.Unknowns++
	r.Doubt = true
	r.Result, r.Detail, r.Provider = channel.StateUnknown, detail, providerID
	if r.Unknowns > 1 {
		r.State = stateLost
		return r.touch(now)
	}
	r.State, r.Due = stateUnknown, now.Add(p.UnknownDelay)
	return r.touch(now)
}

// received ends a send with the channel's answer.
func (p Policy) received(r record, rec channel.Receipt, now time.Time) record {
	switch rec.State {
	case channel.StateSent, channel.StateDelivered, channel.StateRead:
		r.State = stateSent
	case channel.StateFailed:
		r.State = stateFailed
	default:
		// Unknown, or an answer that is none.
		return p.doubted(r, rec.Detail, rec.ProviderID, now)
	}
	r.Result, r.Detail, r.Provider = rec.State, rec.Detail, rec.ProviderID
	return r.touch(now)
}

// erred ends a send with a temporary error. report says whether people should
// hear of it: once per change of the detail.
func (p Policy) erred(r record, err error, published, now time.Time) (_ record, report bool) {
	detail := clip(err.Error())
	attention := errors.Is(err, channel.ErrNeedsAttention)
	// An inbox that waits for a person is no fault of the message.
	if now.Sub(published) >= p.GiveUp && !attention {
		r.State, r.Result = stateFailed, channel.StateFailed
		r.Detail = clip("gave up after " + p.GiveUp.String() + ": " + detail)
		return r.touch(now), true
	}
	var after *channel.RetryAfterError
	wait := p.backoff(r.Tries)
	switch {
	case errors.As(err, &after):
		wait = min(max(after.After, 0), 24*time.Hour)
	case attention:
		wait = min(wait, 5*time.Minute)
	}
	report = r.Result != channel.StateRetrying || r.Detail != detail
	r.State, r.Due = stateRetry, now.Add(wait)
	r.Tries++
	r.Result, r.Detail = channel.StateRetrying, detail
	return r.touch(now), report
}

// backoff doubles from MinBackoff to MaxBackoff, less up to a quarter.
func (p Policy) backoff(n int) time.Duration {
	d := p.MaxBackoff
	if n < 30 && p.MinBackoff<<n > 0 && p.MinBackoff<<n < p.MaxBackoff {
		d = p.MinBackoff << n
	}
	return d - rand.N(d/4+1)
}

// pause is how long a message waits when its inbox has no sender, the nth time.
func (p Policy) pause(n int) time.Duration {
	return min(time.Second<<min(n, 20), p.PausedPoll)
}

func (r record) touch(now time.Time) record {
	r.Done = r.State.final()
	r.At = now.UnixMilli()
	return r
}

// clip keeps a detail within what a receipt may carry.
func clip(s string) string {
	const limit = 1000
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
