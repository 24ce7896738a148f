package command

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// SendReply answers a message.
type SendReply struct {
	Order
	Text        string // at most LimitText characters
	HTML        string // optional rich form; cleaned
	Attachments []channel.Attachment
	Answers     string // message; empty: the latest inbound one
	LastSeen    int64  // conversation's version the author looked at; 0: no check
	Force       bool   // send although something was said since
	// ToRefuted sends although the sender of the message answered is refuted
	// (channel.ScopeUnverified); the event says so. No machine may.
	ToRefuted  bool
	Close      bool
	AuthorName string // shown to the customer
	Automatic  bool
	Template   *channel.Template // sent in place of Text, which says what the customer reads
}

// SendReply stores the reply; it is on its way when this returns. The entry is
// the reply's id.
func (s *Service) SendReply(ctx context.Context, in SendReply) (Result, error) {
	body, err := content("", in.Text, in.HTML, in.Attachments)
	if err != nil {
		return Result{}, err
	}
	if err := template(in.Template); err != nil {
		return Result{}, err
	}
	o, err := s.prepare(ctx, in.Order)
	if err != nil {
		return Result{}, err
	}
	var answered *customer.Answered
	if in.Answers != "" {
		m, ok, err := s.Lookup.Message(ctx, o.Tenant, in.Answers)
		if err != nil {
			return Result{}, fmt.Errorf("look up answered message: %w", err)
		}
		if ok {
			answered = &customer.Answered{
				Conversation: m.Conversation, Handle: m.Handle, Tenure: m.Tenure, Channel: m.Channel, Inbox: m.Inbox,
			}
		}
	}
	now, id := s.now(), s.id("reply", o)
	return s.run(ctx, o, step{
		entry: id,
		cmd: func(recalledTo uint64) customer.Command {
			return customer.Send{
				At: now, Reply: id, Conversation: o.Conversation, Answers: in.Answers, Answered: answered,
				LastSeen: in.LastSeen, Force: in.Force, Close: in.Close, Author: o.Actor, Automatic: in.Automatic,
				RecalledTo: recalledTo,
			}
		},
		fill: func(ctx context.Context, st customer.State, es []event.Event) error {
			r := es[0].(event.ReplyRequested) // Send always begins with it
			if err := s.there(r.Handle, r.Channel, r.Inbox); err != nil {
				return err
			}
			if err := s.fits(r.Channel, r.Inbox, body, in.Template); err != nil {
				return err
			}
			if err := s.reachable(ctx, st, r, now, in.Template); err != nil {
				return err
			}
			threaded, err := s.thread(ctx, o, st, r)
			if err != nil {
				return err
			}
			refuted, err := s.refuted(ctx, o.Tenant, r.Handle)
			if err != nil {
				return err
			}
			if refuted && (!in.ToRefuted || in.Automatic) {
				return &customer.RefutedError{Message: r.Answers, Handle: r.Handle, Evidence: threaded.evidence}
			}
			r.ToRefuted = refuted
			threaded.Content, threaded.AuthorName, threaded.Template = body, in.AuthorName, in.Template
			threaded.Subject = answerTo(threaded.subject)
			es[0], err = s.fillReply(ctx, o.Tenant, o.Customer, r, threaded.ReplyBody)
			return err
		},
	})
}

// refuted says that whoever wrote over a handle does not own the address: an
// answer would reach somebody who never wrote.
func (s *Service) refuted(ctx context.Context, tenant, handle string) (bool, error) {
	own, _, err := s.Claims.Address(ctx, tenant, handle)
	return own.Scope == channel.ScopeUnverified, err
}

// threaded is a reply's body with what it inherits from the message answered.
type threaded struct {
	event.ReplyBody
	subject  string
	evidence string // what the answered message's assurance rests on
}

// thread finds what the reply refers to: ids and subject of the answered
// message, else the conversation's subject.
func (s *Service) thread(ctx context.Context, o Order, st customer.State, r event.ReplyRequested) (threaded, error) {
	var out threaded
	v, ok := st.Conversation(r.Conversation)
	if !ok {
		return out, &customer.NotFoundError{What: "conversation", ID: r.Conversation}
	}
	if r.Answers != "" {
		m, err := s.answered(ctx, o, v, r.Handle, r.Answers)
		if err != nil {
			return out, err
		}
		body, err := seal.Open[event.MessageBody](ctx, s.Keys, m.Body, event.MessageAAD(m.Message))
		if err != nil {
			return out, fmt.Errorf("read answered message: %w", err)
		}
		out.subject, out.evidence = body.Subject, body.Evidence
		out.Thread = body.Thread
		if len(body.To) > 0 {
			out.From = body.To[0]
		}
		if n := len(body.ThreadIDs); n > 0 {
			out.InReplyTo = body.ThreadIDs[0]
			out.References = append(append([]string{}, body.ThreadIDs[1:]...), body.ThreadIDs[0])
		}
	}
	if out.subject == "" && v.OpenSeq > 0 {
		var err error
		if out.subject, err = s.subject(ctx, o, v); err != nil {
			return out, err
		}
	}
	return out, nil
}

// answered reads the message event: at the place the state knows, else by its commit id.
func (s *Service) answered(ctx context.Context, o Order, v *customer.Conversation, handle, message string) (event.MessageReceived, error) {
	for _, u := range v.Units {
		if u.Last != message {
			continue
		}
		c, ok, err := s.Customers.At(ctx, o.Tenant, o.Customer, u.LastSeq)
		if err != nil {
			return event.MessageReceived{}, err
		}
		if m, found := find[event.MessageReceived](c.Records, ok); found && m.Message == message {
			return m, nil
		}
	}
	c, ok, err := s.Customers.Find(ctx, o.Tenant, o.Customer, "msg:"+message)
	if err != nil {
		return event.MessageReceived{}, err
	}
	if m, found := find[event.MessageReceived](c.Records, ok); found {
		return m, nil
	}
	// It came with its handle: a former owner's stream has it.
	_, m, _, err := s.settle.Stored(ctx, o.Tenant, handle, message)
	if err == nil && m.Message == "" {
		err = &customer.NotFoundError{What: "message", ID: message}
	}
	return m, err
}

func (s *Service) subject(ctx context.Context, o Order, v *customer.Conversation) (string, error) {
	c, ok, err := s.Customers.At(ctx, o.Tenant, o.Customer, v.OpenSeq)
	if err != nil {
		return "", err
	}
	opened, found := find[event.ConversationOpened](c.Records, ok)
	if !found || len(opened.Subject.Box) == 0 {
		return "", nil
	}
	data, err := s.Keys.Open(ctx, opened.Subject, event.SubjectAAD(v.ID))
	if err != nil {
		return "", fmt.Errorf("read subject: %w", err)
	}
	return string(data), nil
}

// fillReply seals the body for the handle the decision named.
func (s *Service) fillReply(ctx context.Context, tenant, id string, r event.ReplyRequested, body event.ReplyBody) (event.Event, error) {
	own, to, err := s.Claims.Address(ctx, tenant, r.Handle)
	if err == nil && own.Tenure < r.Tenure { // what is known here is older than what was decided on
		if _, err = s.Claims.Reload(ctx, tenant, r.Handle); err == nil {
			own, to, err = s.Claims.Address(ctx, tenant, r.Handle)
		}
	}
	_, gone := errors.AsType[*customer.NotFoundError](err)
	if gone || err == nil && (own.Tenure != r.Tenure || own.Customer != id) {
		return nil, &customer.TenureEndedError{Handle: r.Handle, Tenure: r.Tenure}
	}
	if err != nil {
		return nil, err
	}
	if err := s.Keys.Ensure(ctx, r.Unit); err != nil {
		return nil, fmt.Errorf("key of a unit: %w", err)
	}
	body.To = to
	r.Body, err = seal.JSON(ctx, s.Keys, r.Unit, body, event.ReplyAAD(r.Reply))
	return r, err
}

// find decodes records and returns the first event of a type.
func find[E event.Event](records []eventstore.Record, ok bool) (E, bool) {
	var none E
	if !ok {
		return none, false
	}
	events, err := codec.Decode(eventstore.Commit{Records: records})
	if err != nil {
		return none, false
	}
	for _, e := range events {
		if found, ok := e.(E); ok {
			return found, true
		}
	}
	return none, false
}

// answering are the prefixes mail programs put before a subject.
var answering = regexp.MustCompile(`(?i)^\s*(re|aw|sv|antw|odp|vs|ynt|rif|res|回复|答复)(\[\d+\])?\s*[:：]`)

// answerTo is the subject of an answer; none stays none.
func answerTo(subject string) string {
	if subject == "" || answering.MatchString(subject) {
		return subject
	}
	return "Re: " + subject
}
