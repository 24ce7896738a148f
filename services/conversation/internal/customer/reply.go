package customer

import (
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Send is a reply to a message, by its own channel and address.
type Send struct {
	At           time.Time
	Reply        string // id, derived from the idempotency key
	Conversation string
	// Answers is the message to answer; empty means the last inbound one whose
	// tenure is still attached, never a third party's while there is another.
	Answers string
	// Answered says where that message came in, from a look-up; needed for
	// older messages only. Facts about a message never change.
	Answered  *Answered
	LastSeen  int64 // Conversation.Version the author looked at; 0: no check
	Force     bool
	Close     bool
	Author    string
	Automatic bool
	Imported  bool // it was sent elsewhere, earlier: it is never sent from here

	RecalledTo uint64 // the timeline, complete up to here, does not know the reply
}

// Answered is where a message came in.
type Answered struct {
	Conversation, Handle string
	Tenure               int64
	Channel, Inbox       string
}

// CommitID is reply:<reply>.
func (c Send) CommitID() string { return "reply:" + c.Reply }

func (c Send) decide(s State) ([]event.Event, error) {
	if err := recall(s.Commands, c.Reply, c.RecalledTo); err != nil {
		return nil, err
	}
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	target, err := c.target(s, v)
	if err != nil {
		return nil, err
	}
	if !s.Attached(target.Handle, target.Tenure) {
		return nil, &TenureEndedError{Handle: target.Handle, Tenure: target.Tenure}
	}
	if err := s.Reachable(target.Handle, target.Inbox, c.At, Freely{Answer: target.Last != ""}); err != nil && !c.Imported {
		return nil, err
	}
	if c.LastSeen > 0 && c.LastSeen < v.Version && !c.Force {
		return nil, &ChangedError{Conversation: v.ID, Version: v.Version}
	}
	if c.LastSeen > v.Version {
		return nil, &FieldError{Field: "last_seen", Problem: fmt.Sprintf("is %d, and the conversation's version is %d", c.LastSeen, v.Version)}
	}
	r := event.ReplyRequested{
		Reply: c.Reply, Conversation: v.ID, Answers: target.Last,
		Handle: target.Handle, Tenure: target.Tenure, Channel: target.Channel, Inbox: target.Inbox,
		Unit:   event.UnitKey(v.ID, target.Handle, target.Tenure),
		Author: c.Author, Automatic: c.Automatic, Imported: c.Imported,
	}
	r.UnitOpened = v.begins(r.Unit, r.Handle, r.Tenure, c.At)
	es := []event.Event{r}
	if c.Close && v.Status != Closed {
		es = append(es, event.ConversationClosed{Conversation: v.ID})
	}
	return es, nil
}

// target is the unit a reply goes to; its Last is the message answered.
func (c Send) target(s State, v *Conversation) (Unit, error) {
	if c.Answers == "" {
		u, ok := v.Target(s)
		if !ok {
			return Unit{}, &RefusedError{Reason: "conversation has no message to answer"}
		}
		return u, nil
	}
	if i := slices.IndexFunc(v.Units, func(u Unit) bool { return u.Last == c.Answers }); i >= 0 {
		return v.Units[i], nil
	}
	a := c.Answered
	if a == nil {
		return Unit{}, &NotFoundError{What: "message", ID: c.Answers}
	}
	// A carried unit leads to the tenure it is held by here.
	if u, ok := v.unit(event.UnitKey(a.Conversation, a.Handle, a.Tenure)); ok && !u.Left {
		u.Last, u.LastSeq = c.Answers, 0
		return u, nil
	}
	if a.Conversation != v.ID {
		return Unit{}, &NotFoundError{What: "message", ID: c.Answers}
	}
	return Unit{Handle: a.Handle, Tenure: a.Tenure, Channel: a.Channel, Inbox: a.Inbox, Last: c.Answers}, nil
}

// Target is the unit a reply goes to by default: that of the last inbound
// message whose tenure is attached; a third party's, or one we opened
// ourselves, only while there is nothing better. When all tenures have ended
// it is the last one, and the reply is refused.
func (v *Conversation) Target(s State) (Unit, bool) {
	var best Unit
	found := false
	rank := func(u Unit) (r int) {
		if s.Attached(u.Handle, u.Tenure) {
			r += 4
		}
		if u.Last != "" {
			r++
			if !u.ThirdParty {
				r++
			}
		}
		return r
	}
	for _, u := range v.Units {
		if !found || rank(u) > rank(best) || rank(u) == rank(best) && u.LastSeq >= best.LastSeq {
			best, found = u, true
		}
	}
	return best, found
}

// Start writes first: a new conversation and its first outbound message.
type Start struct {
	At             time.Time
	Reply          string
	Conversation   string
	Handle         Attach
	Channel, Inbox string
	Author         string
	RecalledTo     uint64
}

// CommitID is reply:<reply>.
func (c Start) CommitID() string { return "reply:" + c.Reply }

func (c Start) decide(s State) ([]event.Event, error) {
	if err := recall(s.Commands, c.Reply, c.RecalledTo); err != nil {
		return nil, err
	}
	if err := s.takes(c.Handle); err != nil {
		return nil, err
	}
	if err := s.Reachable(c.Handle.Handle, c.Inbox, c.At, Freely{}); err != nil {
		return nil, err
	}
	es := s.attach(s.create(nil), c.Handle)
	return append(es,
		event.ConversationOpened{
			Conversation: c.Conversation, Topic: c.Conversation, Inbox: c.Inbox, Channel: c.Channel, Outbound: true,
		},
		event.ReplyRequested{
			Reply: c.Reply, Conversation: c.Conversation,
			Handle: c.Handle.Handle, Tenure: c.Handle.Tenure, Channel: c.Channel, Inbox: c.Inbox,
			Unit:       event.UnitKey(c.Conversation, c.Handle.Handle, c.Handle.Tenure),
			UnitOpened: &c.At, Author: c.Author,
		}), nil
}
