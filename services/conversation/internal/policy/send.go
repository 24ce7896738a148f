package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
)

// send hands an outbound message to the outbox, unless the channel has already
// spoken of this attempt: then it was handed over before.
func (p *Policy) send(ctx context.Context, c eventstore.Commit, id string, r event.ReplyRequested, position string, attempt int, unknown bool) error {
	if r.Imported {
		return nil // it was sent elsewhere, earlier
	}
	done, err := p.spoken(ctx, c.Tenant, id, r.Reply, attempt)
	if err != nil || done {
		return err
	}
	body, err := seal.Open[event.ReplyBody](ctx, p.Keys, r.Body, event.ReplyAAD(r.Reply))
	if errors.Is(err, crypt.ErrShredded) {
		p.Log.Info("reply was erased before it was sent", "reply", r.Reply)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read reply %s: %w", r.Reply, err)
	}
	out := channel.Outbound{
		ID: r.Reply, Tenant: c.Tenant, Channel: r.Channel, Inbox: r.Inbox,
		Customer: id, Conversation: r.Conversation, Position: position,
		To: body.To, From: body.From, Subject: body.Subject, Content: body.Content, Author: r.Author, AuthorName: body.AuthorName, At: c.RecordedAt,
		InReplyTo: body.InReplyTo, References: body.References,
		Automatic: r.Automatic, Attempt: attempt, Unknown: unknown, Template: body.Template, Thread: body.Thread,
	}
	if err := p.Outbox.Publish(ctx, r.Unit, out); err != nil {
		return fmt.Errorf("hand reply %s to the outbox: %w", r.Reply, err)
	}
	return nil
}

// spoken says whether the stream has more to tell about the attempt than that
// it was asked for.
func (p *Policy) spoken(ctx context.Context, tenant, id, reply string, attempt int) (bool, error) {
	state, err := p.Customers.Peek(ctx, tenant, id)
	if err != nil {
		return false, err
	}
	if r, ok := state.Reply(reply); ok {
		return r.Attempt > attempt || r.Attempt == attempt && r.State != customer.Queued, nil
	}
	// Not yet, or no more, in the state held here: the stream knows.
	found := false
	for c, err := range p.Customers.History(ctx, tenant, id) {
		if err != nil {
			return false, err
		}
		events, err := codec.Decode(c)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			switch e := e.(type) {
			case event.ReplyRetried:
				if e.Reply == reply {
					found = e.Attempt > attempt
				}
			case event.ReplyProgressed:
				found = found || e.Reply == reply
			}
		}
	}
	return found, nil
}

// again sends a reply once more: its body is in the stream's past, and so is
// whether the earlier outcome is known.
func (p *Policy) again(ctx context.Context, c eventstore.Commit, id string, e event.ReplyRetried) error {
	var (
		asked    event.ReplyRequested
		position string
		state    string
	)
	for past, err := range p.Customers.History(ctx, c.Tenant, id) {
		if err != nil {
			return err
		}
		if past.Seq >= c.Seq {
			break
		}
		events, err := codec.Decode(past)
		if err != nil {
			return err
		}
		for i, old := range events {
			switch old := old.(type) {
			case event.ReplyRequested:
				if old.Reply == e.Reply {
					asked, position = old, event.Position(past.RecordedAt, past.Seq, i)
				}
			case event.ReplyProgressed:
				if old.Reply == e.Reply {
					state = old.State
				}
			}
		}
	}
	if asked.Reply == "" {
		state, err := p.Customers.Peek(ctx, c.Tenant, id)
		if err != nil || state.Erased != "" {
			return err // erased, and its stream purged, since it was asked for
		}
		return fmt.Errorf("retried reply %s is not in its stream", e.Reply)
	}
	return p.send(ctx, c, id, asked, position, e.Attempt, state == string(channel.StateUnknown))
}
