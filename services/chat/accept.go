package chat

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// accept stores what was said, then acknowledges it, then shows it in the visitor's other tabs.
func (s *session) accept(ctx context.Context, c *config, f clientFrame) {
	if wait, ok := s.a.limits.take("message", s.handleID, c.Messages, time.Minute); !ok {
		s.a.metrics.limited.WithLabelValues("message").Inc()
		s.push(errorFrame{Type: "error", Code: "rate", ClientID: f.ClientID, RetryAfterMS: wait.Milliseconds() + 1})
		return
	}
	in := input{
		V: 1, Kind: f.Type, Visitor: s.visitor, Address: s.address, ClientID: f.ClientID,
		Text: f.Text, At: s.a.d.Now().UTC(),
	}
	var given []string
	var err error
	switch f.Type {
	case "form":
		if in.Form, given, err = s.answers(c, f); err != nil {
			s.refuse(f, err)
			return
		}
	case "email":
		in.Email = f.Address
	case "phone":
		if in.Phone, err = s.a.number(c, f.Phone); err != nil {
			s.refuse(f, err)
			return
		}
	default:
		in.Invite = c.invited(f.Invite, s.lang)
	}
	if f.Type != "form" {
		missing, err := s.unanswered(ctx, c)
		if err != nil {
			s.notAccepted(f, err)
			return
		}
		if missing != "" {
			s.push(errorFrame{Type: "error", Code: "form_required", Field: missing, ClientID: f.ClientID})
			return
		}
	}
	if l := s.login; l != nil {
		in.Login = &inputLogin{Kid: l.Kid, Sub: l.Sub, Email: l.Email, Verified: l.Verified, Name: l.Name}
	}
	files, err := s.a.uploads(ctx, s.inbox, s.address, f.Attachments)
	if errors.Is(err, errNoUpload) {
		s.push(errorFrame{Type: "error", Code: "invalid", Field: "attachments", ClientID: f.ClientID})
		return
	}
	in.Files = files
	if err == nil {
		err = s.a.noteSpoken(ctx, s)
	}
	if err == nil && (in.Form == nil || in.Form.said()) {
		raw, rawErr := in.raw(s.inbox)
		if err = rawErr; err == nil {
			err = s.a.d.Intake.Accept(ctx, raw)
		}
	}
	if err == nil && f.Type == "form" { // last: what is noted as answered is stored
		err = s.a.noteAnswers(ctx, s, given)
	}
	if err != nil {
		s.notAccepted(f, err)
		return
	}
	item := s.a.ownItem(s.inbox, s.handleID, in)
	// The same again is shown to nobody again: many tabs that repeat themselves
	// after an outage would fill one another's queues.
	tell := f.Type == "message" && s.a.pending.add(s.handleID, item, in.At)
	s.push(ackFrame{Type: "ack", ClientID: f.ClientID})
	s.a.metrics.messages.WithLabelValues("in").Inc()
	s.a.works(s.inbox, inbox.Health{LastIn: in.At})
	for _, other := range s.a.rooms.of(s.handleID) {
		if tell && other != s {
			other.push(messageFrame{Type: "message", Message: item})
		}
		signal(other.sync)
	}
}

// refuse tells the visitor which field is wrong, and its limit.
func (s *session) refuse(f clientFrame, err error) {
	var bad *frameError
	if !errors.As(err, &bad) {
		s.notAccepted(f, err)
		return
	}
	out := errorFrame{Type: "error", Code: "invalid", Field: bad.Field, Limit: bad.Limit, Example: bad.Example, ClientID: f.ClientID}
	if bad.Missing {
		out.Code = "form_required"
	}
	s.push(out)
}

func (s *session) notAccepted(f clientFrame, err error) {
	s.a.log.Error("chat message not accepted", "inbox", s.inbox, "error", err)
	s.push(errorFrame{Type: "error", Code: "unavailable", ClientID: f.ClientID, RetryAfterMS: 2000})
}

// answers are those of a form, with the words of what was asked.
func (s *session) answers(c *config, f clientFrame) (*inputForm, []string, error) {
	if c.Form.empty() || s.login != nil {
		return nil, nil, &frameError{Field: "form"}
	}
	a, given, err := c.Form.read(f)
	if err != nil {
		return nil, nil, err
	}
	in := &inputForm{Name: a.Name, Email: a.Email, Phone: a.Phone, Ask: c.word(s.lang, wordQuestion), Question: a.Question}
	if a.Consent {
		in.Consent = c.word(s.lang, wordConsent)
	}
	return in, given, nil
}

// noteSpoken remembers that an anonymous browser has said something.
func (a *Adapter) noteSpoken(ctx context.Context, s *session) error {
	if s.login != nil || s.spoke {
		return nil
	}
	id := s.inbox + "/" + s.visitor
	defer a.locks.lock(id)()
	var v visitorState
	if _, err := a.load(ctx, colVisitor, id, &v); err != nil {
		return err
	}
	if !v.Spoke {
		v.Spoke = true
		if err := a.store(ctx, colVisitor, id, v); err != nil {
			return err
		}
	}
	s.spoke = true
	return nil
}
