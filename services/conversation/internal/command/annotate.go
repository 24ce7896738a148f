package command

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/visible"
)

// change runs an order whose command is the same however often it is tried.
func (s *Service) change(ctx context.Context, o Order, kind string, cmd func(o Order, id string) customer.Command) (Result, error) {
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	c := cmd(o, "cmd:"+s.id(kind, o))
	return s.run(ctx, o, step{cmd: func(uint64) customer.Command { return c }})
}

// AddNote stores internal text, 1 to LimitText characters. The entry is the note's id.
func (s *Service) AddNote(ctx context.Context, o Order, text string) (Result, error) {
	text = visible.Text(text)
	if err := length("text", text, 1, LimitText); err != nil {
		return Result{}, err
	}
	if visible.Blank(text) {
		return Result{}, &customer.FieldError{Field: "text", Problem: "must not be blank"}
	}
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	id := s.id("note", o)
	return s.run(ctx, o, step{
		entry: id,
		cmd: func(recalledTo uint64) customer.Command {
			return customer.Note{Note: id, Conversation: o.Conversation, RecalledTo: recalledTo}
		},
		fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
			n := es[0].(event.NoteAdded)
			key := event.CustomerKey(o.Customer)
			if err := s.Keys.Ensure(ctx, key); err != nil {
				return fmt.Errorf("key of a customer: %w", err)
			}
			var err error
			n.Body, err = seal.JSON(ctx, s.Keys, key, event.NoteBody{Text: text}, event.NoteAAD(id))
			es[0] = n
			return err
		},
	})
}

// Assign gives the conversation to an agent, or (empty) to nobody.
func (s *Service) Assign(ctx context.Context, o Order, assignee string) (Result, error) {
	return s.change(ctx, o, "assign", func(o Order, id string) customer.Command {
		return customer.Assign{ID: id, Conversation: o.Conversation, Assignee: assignee}
	})
}

// SetStatus opens, pends, snoozes (until a time at most 366 days ahead) or closes the conversation.
func (s *Service) SetStatus(ctx context.Context, o Order, status customer.Status, until time.Time) (Result, error) {
	now := s.now()
	return s.change(ctx, o, "status", func(o Order, id string) customer.Command {
		return customer.SetStatus{
			ID: id, At: now, Actor: o.Actor, Conversation: o.Conversation, Status: status,
			Until: until.UTC().Truncate(time.Microsecond),
		}
	})
}

// SetPriority sets low, normal, high or urgent.
func (s *Service) SetPriority(ctx context.Context, o Order, priority string) (Result, error) {
	return s.change(ctx, o, "priority", func(o Order, id string) customer.Command {
		return customer.Prioritise{ID: id, Conversation: o.Conversation, Priority: priority}
	})
}

// AddTag puts a tag of 1 to 50 characters on the conversation.
func (s *Service) AddTag(ctx context.Context, o Order, tag string) (Result, error) {
	return s.change(ctx, o, "tag", func(o Order, id string) customer.Command {
		return customer.Tag{ID: id, Conversation: o.Conversation, Tag: tag}
	})
}

// RemoveTag takes a tag off.
func (s *Service) RemoveTag(ctx context.Context, o Order, tag string) (Result, error) {
	return s.change(ctx, o, "untag", func(o Order, id string) customer.Command {
		return customer.Tag{ID: id, Conversation: o.Conversation, Tag: tag, Remove: true}
	})
}

// SetConsent records what a customer said about being written to at a handle
// of his over an inbox, by another way than a message.
func (s *Service) SetConsent(ctx context.Context, o Order, handle, inbox string, wish channel.ConsentWish, reason string) (Result, error) {
	if err := length("reason", strings.TrimSpace(reason), 1, LimitReason); err != nil {
		return Result{}, err
	}
	if _, ok := s.Channel(inbox); !ok {
		return Result{}, &customer.FieldError{Field: "inbox_id", Problem: fmt.Sprintf("%q is not a configured inbox", inbox)}
	}
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	o.Conversation = ""
	id := "cmd:" + s.id("consent/"+handle+"/"+inbox+"/"+string(wish), o)
	return s.run(ctx, o, step{
		cmd: func(uint64) customer.Command {
			return customer.SetConsent{ID: id, Handle: handle, Inbox: inbox, Wish: wish}
		},
		fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
			e := es[0].(event.ConsentSet)
			key := event.CustomerKey(o.Customer)
			if err := s.Keys.Ensure(ctx, key); err != nil {
				return err
			}
			var err error
			e.Reason, err = seal.Text(ctx, s.Keys, key, strings.TrimSpace(reason), event.ConsentAAD(o.Customer, handle, inbox))
			es[0] = e
			return err
		},
	})
}

// SetAttribute sets an attribute of the order's Customer; an empty value removes it.
func (s *Service) SetAttribute(ctx context.Context, o Order, name, value string) (Result, error) {
	if err := length("value", value, 0, LimitAttribute); err != nil {
		return Result{}, err
	}
	if problem := visible.Lines(value); problem != "" && value != "" {
		return Result{}, &customer.FieldError{Field: "value", Problem: problem}
	}
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	o.Conversation = ""
	c := customer.SetAttribute{ID: "cmd:" + s.id("attribute/"+name, o), Name: name, Remove: value == ""}
	return s.run(ctx, o, step{
		cmd: func(uint64) customer.Command { return c },
		fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
			a := es[0].(event.AttributeSet)
			if a.Removed {
				return nil
			}
			key := event.CustomerKey(o.Customer)
			if err := s.Keys.Ensure(ctx, key); err != nil {
				return fmt.Errorf("key of a customer: %w", err)
			}
			var err error
			a.Value, err = seal.Text(ctx, s.Keys, key, value, event.AttributeAAD(o.Customer, name))
			es[0] = a
			return err
		},
	})
}

// RetryReply sends a failed or unknown reply once more.
func (s *Service) RetryReply(ctx context.Context, o Order, reply string) (Result, error) {
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	c := customer.Retry{ID: "cmd:" + s.id("retry", o), Reply: reply, Conversation: o.Conversation}
	if c.Known, err = s.shown(ctx, o.Tenant, reply); err != nil {
		return Result{}, err
	}
	var lost error
	r, err := s.run(ctx, o, step{
		entry: reply,
		cmd: func(recalledTo uint64) customer.Command {
			if recalledTo > c.RecalledTo {
				c.RecalledTo = recalledTo
				c.Known, lost = s.shown(ctx, o.Tenant, reply)
			}
			return c
		},
		fill: func(_ context.Context, st customer.State, _ []event.Event) error {
			u, ok := st.SentOver(reply, c.Known)
			if !ok {
				return nil // forgotten: it is the outbox that says so then
			}
			return s.there(u.Handle, u.Channel, u.Inbox)
		},
	})
	return r, cmp.Or(lost, err)
}

// shown is a reply as the look-up has it; nil: it has not.
func (s *Service) shown(ctx context.Context, tenant, reply string) (*customer.Reply, error) {
	r, ok, err := s.Lookup.Reply(ctx, tenant, reply)
	if err != nil {
		return nil, fmt.Errorf("look up reply: %w", err)
	}
	if !ok {
		return nil, nil
	}
	return &customer.Reply{
		ID: reply, Conversation: r.Conversation, Course: r.Course, Unit: event.UnitKey(r.Conversation, r.Handle, r.Tenure),
	}, nil
}

// Wake ends a snooze whose timer went off.
func (s *Service) Wake(ctx context.Context, tenant, id, conversation string, until time.Time) error {
	c := customer.Wake{Conversation: conversation, Until: until}
	_, err := s.run(ctx, Order{Tenant: tenant, Actor: "system", Customer: id, Conversation: conversation},
		step{cmd: func(uint64) customer.Command { return c }})
	return err
}
