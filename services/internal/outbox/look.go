package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

const (
	// lookLimit is how long one question to the provider may take.
	lookLimit = time.Minute

	detailUnanswered = "the provider could not say whether this was sent"
)

// looker is the inbox's sender, where it can say what became of a send.
func (o *outbox) looker(inbox string) (channel.Looker, bool) {
	sender, ok := o.Senders(inbox)
	if !ok {
		return nil, false
	}
	l, ok := sender.(channel.Looker)
	return l, ok
}

// look asks the provider before a message of which an earlier send is in doubt
// is sent again. done: there is nothing more to do now, err says when there is.
// Otherwise the message may be sent.
func (o *outbox) look(ctx context.Context, out channel.Outbound, rec record) (_ record, done bool, err error) {
	l, ok := o.looker(out.Inbox)
	if !rec.Doubt || !ok {
		return rec, false, nil
	}
	out.Attempt, out.Unknown = rec.Attempt, true
	asking, cancel := context.WithTimeout(ctx, lookLimit)
	receipt, err := l.Look(asking, out)
	cancel()
	if ctx.Err() != nil {
		return rec, true, fmt.Errorf("look: %w", ctx.Err()) // the next process asks
	}
	now := o.Now()
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	receipt.Detail = clip(receipt.Detail)
	switch next, known := o.Policy.looked(rec, receipt, err, now); {
	case !known:
		// Not known: people heard of that when the doubt arose.
		return next, true, o.conclude(ctx, out, next, next.State == stateLost)
	case next.State.final():
		return next, true, o.conclude(ctx, out, next, true)
	default:
		return next, false, nil
	}
}

// looked is where the provider's answer leads to. known: it was certain.
func (p Policy) looked(r record, rec channel.Receipt, err error, now time.Time) (_ record, known bool) {
	if err == nil {
		switch rec.State {
		case "": // none arrived: it is as if nothing had been sent
			r.Doubt, r.Unknowns, r.Looks, r.Asked = false, 0, 0, time.Time{}
			return r, true
		case channel.StateSent, channel.StateDelivered, channel.StateRead, channel.StateFailed:
			return p.received(r, rec, now), true
		}
	}
	if r.Asked.IsZero() {
		r.Asked = now
	}
	r.Result, r.Provider = channel.StateUnknown, rec.ProviderID
	if now.Sub(r.Asked) >= p.LookFor {
		r.State, r.Due, r.Detail = stateLost, time.Time{}, detailUnanswered
		return r.touch(now), false
	}
	wait := p.backoff(r.Looks)
	var after *channel.RetryAfterError
	if errors.As(err, &after) {
		wait = min(max(after.After, 0), 24*time.Hour)
	}
	r.Looks++
	r.State, r.Due = stateUnknown, now.Add(wait)
	return r.touch(now), false
}
