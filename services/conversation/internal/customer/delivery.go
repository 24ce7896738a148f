package customer

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Queued is the state of a reply before the channel said anything.
const Queued = "queued"

// Progress is what the channel said about an outbound message. States only
// move forward:
//
//	queued ─► retrying ─► unknown ─► sent ─► delivered ─► read
//	   └─────────┴───────────┴──► failed ◄┄┄┄┄┄┘ by a bounce only
//
// A retry begins at queued again. What an earlier attempt says then counts only
// if its outcome was unknown and it says that the message went out.
type Progress struct {
	Reply string
	State string // a channel.State
	Refs  []string
	At    time.Time // the channel's clock
	// Attempt it is about; 0: not known, then At tells.
	Attempt int
	// Bounce: it came from the provider, not from our sending. Only then is a
	// sent message failed.
	Bounce bool
	// Known is what a look-up says of a reply the state has forgotten, which is
	// certain when the look-up is complete up to RecalledTo.
	Known      *Reply
	RecalledTo uint64
}

// CommitID is the part of the commit id that does not depend on the state; see CommitOn.
func (c Progress) CommitID() string { return "receipt:" + c.Reply + ":" + c.State }

// CommitOn is receipt:<reply>:<state>:<attempt>, the attempt being the state's.
func (c Progress) CommitOn(s State) string {
	attempt := 1
	if r, ok := s.Reply(c.Reply); ok {
		attempt = r.Attempt
	} else if c.Known != nil {
		attempt = c.Known.Attempt
	}
	return fmt.Sprintf("%s:%d", c.CommitID(), attempt)
}

func (c Progress) decide(s State) ([]event.Event, error) {
	r, ok := s.Reply(c.Reply)
	if !ok {
		if s.ReplyFloor > c.RecalledTo {
			return nil, &RecallError{Entry: c.Reply, Floor: s.ReplyFloor}
		}
		r = c.Known
	}
	if r == nil {
		return nil, &NotFoundError{What: "reply", ID: c.Reply}
	}
	if rank(c.State) == 0 {
		return nil, &FieldError{Field: "state", Problem: fmt.Sprintf("%q is not a delivery state", c.State)}
	}
	if c.earlier(r) && !(wentOut(c.State) && r.Before == string(channel.StateUnknown)) {
		return nil, nil
	}
	if !Forward(r.State, c.State, c.Bounce) {
		return nil, nil
	}
	return []event.Event{event.ReplyProgressed{
		Reply: c.Reply, Conversation: r.Conversation, State: c.State, Refs: c.Refs, At: c.At,
	}}, nil
}

// earlier says whether it is about an attempt before the present one.
func (c Progress) earlier(r *Reply) bool {
	if c.Attempt > 0 {
		return c.Attempt < r.Attempt
	}
	return !r.RetriedAt.IsZero() && c.At.Before(r.RetriedAt)
}

// Forward says whether a delivery state may follow another one.
func Forward(from, to string, bounce bool) bool {
	switch {
	case from == string(channel.StateFailed) || from == to:
		return false
	case to == string(channel.StateFailed):
		return !wentOut(from) || bounce && from != string(channel.StateRead)
	}
	return rank(to) > rank(from)
}

var order = []string{
	Queued, string(channel.StateRetrying), string(channel.StateUnknown), string(channel.StateSent),
	string(channel.StateDelivered), string(channel.StateRead), string(channel.StateFailed),
}

func rank(state string) int { return max(slices.Index(order, state), 0) }

func wentOut(state string) bool {
	return rank(state) >= 3 && state != string(channel.StateFailed)
}

// Retry sends a failed or unknown reply once more. One that went out and came
// back is not: the channel never sends after it has sent.
type Retry struct {
	ID           string // commit id
	Reply        string
	Conversation string
	// Known is what a look-up says of a reply the state has forgotten; see Progress.
	Known      *Reply
	RecalledTo uint64
}

// CommitID is the caller's.
func (c Retry) CommitID() string { return c.ID }

func (c Retry) decide(s State) ([]event.Event, error) {
	r, ok := s.Reply(c.Reply)
	if !ok {
		if s.ReplyFloor > c.RecalledTo {
			return nil, &RecallError{Entry: c.ID, Floor: s.ReplyFloor}
		}
		r = c.Known
	}
	if r == nil || r.Conversation != c.Conversation {
		return nil, &NotFoundError{What: "reply", ID: c.Reply}
	}
	if r.State != string(channel.StateFailed) && r.State != string(channel.StateUnknown) {
		return nil, &RefusedError{Reason: fmt.Sprintf("reply is %s; only a failed or unknown one is sent again", r.State)}
	}
	if r.Sent {
		return nil, &RefusedError{Reason: "reply was sent and came back; write a new one"}
	}
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if u, ok := v.unit(r.Unit); ok && !s.Attached(u.Handle, u.Tenure) {
		return nil, &TenureEndedError{Handle: u.Handle, Tenure: u.Tenure}
	}
	if u, ok := v.unit(r.Unit); ok {
		if err := s.Reachable(u.Handle, u.Inbox, zero, Freely{Answer: u.Last != ""}); err != nil {
			return nil, err
		}
	}
	return []event.Event{event.ReplyRetried{Reply: r.ID, Conversation: r.Conversation, Attempt: r.Attempt + 1}}, nil
}

// SentOver is where a reply goes that is sent once more. known is what a look-up
// says of one the state has forgotten, nil: nothing.
func (s State) SentOver(reply string, known *Reply) (Unit, bool) {
	r, ok := s.Reply(reply)
	if !ok {
		r = known
	}
	if r == nil {
		return Unit{}, false
	}
	v, _ := s.Conversation(r.Conversation)
	return v.unit(r.Unit)
}
