package customer

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// UnreachableError refuses to write to a handle over an inbox now.
type UnreachableError struct {
	Handle, Inbox string
	Reason        string    // OptedOut, WindowClosed or InboxGone
	At            time.Time // when he opted out, or when the window ended; zero: he never wrote
	Message       string    // by which he opted out, "" when an agent recorded it
	Templates     bool      // a template would go out
	Unasked       bool      // he opted out of what he does not ask for
}

// Reasons of an UnreachableError.
const (
	OptedOut     = "opted_out"
	WindowClosed = "window_closed"
	InboxGone    = "inbox_gone"
)

func (e *UnreachableError) Error() string {
	switch {
	case e.Reason == InboxGone:
		return fmt.Sprintf("inbox %s no longer exists: nothing can be sent over it", e.Inbox)
	case e.Reason == OptedOut && e.Unasked:
		return fmt.Sprintf("opted out on %s: nothing more is sent to this address over inbox %s until it opts in again, except answers to what it writes itself", e.At.UTC().Format(time.DateOnly), e.Inbox)
	case e.Reason == OptedOut:
		return fmt.Sprintf("opted out on %s: nothing more is sent to this address over inbox %s until it opts in again", e.At.UTC().Format(time.DateOnly), e.Inbox)
	case e.Templates:
		return "the time to reply freely is over: only a template can be sent until the customer writes again"
	}
	return "the time to reply is over: the channel takes nothing more until the customer writes again"
}

// Freely is how long after his last message a customer may be written to.
type Freely struct {
	Length    time.Duration // 0: always
	Templates bool          // the channel has templates
	Template  bool          // this is one
	Answer    bool          // this answers what he wrote
}

// Reachable says whether a handle may be written to at a time.
func (s State) Reachable(handle, inbox string, at time.Time, w Freely) error {
	r := s.Handle(handle).Reach(inbox)
	if r.Out && !(w.Answer && r.Asks()) {
		return &UnreachableError{Handle: handle, Inbox: inbox, Reason: OptedOut, At: r.OutAt, Message: r.Message, Unasked: r.Unasked}
	}
	if w.Length <= 0 || w.Template && w.Templates {
		return nil
	}
	if ends := r.LastAt.Add(w.Length); r.LastAt.IsZero() || at.After(ends) {
		if r.LastAt.IsZero() {
			ends = r.LastAt
		}
		return &UnreachableError{Handle: handle, Inbox: inbox, Reason: WindowClosed, At: ends, Templates: w.Templates}
	}
	return nil
}

// reached are the reaches a state has of a handle, for its next owner.
func reached(list []event.Reached) []Reach {
	out := make([]Reach, len(list))
	for i, r := range list {
		out[i] = Reach{Inbox: r.Inbox, LastAt: r.LastAt, Out: r.Out, OutAt: r.OutAt, Message: r.Message, Unasked: r.Unasked, AskedAt: r.AskedAt}
	}
	return out
}

// SetConsent records what a customer said by another way than a message. Its
// reason is sealed after the decision.
type SetConsent struct {
	ID     string // commit id
	Handle string
	Inbox  string
	Wish   channel.ConsentWish
}

// CommitID is the caller's.
func (c SetConsent) CommitID() string { return c.ID }

func (c SetConsent) decide(s State) ([]event.Event, error) {
	if c.Wish != channel.OptOut && c.Wish != channel.OptIn {
		return nil, &FieldError{Field: "wish", Problem: `must be "out" or "in"`}
	}
	h := s.Handle(c.Handle)
	if h.Tenure == 0 {
		return nil, &FieldError{Field: "handle_id", Problem: "does not belong to this customer now"}
	}
	return []event.Event{event.ConsentSet{Handle: c.Handle, Inbox: c.Inbox, Wish: string(c.Wish)}}, nil
}
