package settle

import (
	"context"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// wherefrom finds the channel and inbox of a unit that its last owner's state
// has forgotten: in the streams of the handle's owners.
func (w *walk) wherefrom(ctx context.Context, unit string) (ch, inbox string, err error) {
	asked := map[string]bool{"": true}
	for _, p := range w.own.Periods {
		if asked[p.Customer] {
			continue
		}
		asked[p.Customer] = true
		err := w.history(ctx, w.tenant, p.Customer, func(_ eventstore.Commit, e event.Event) bool {
			switch e := e.(type) {
			case event.MessageReceived:
				if e.Unit == unit {
					ch, inbox = e.Channel, e.Inbox
				}
			case event.ReplyRequested:
				if e.Unit == unit {
					ch, inbox = e.Channel, e.Inbox
				}
			}
			return inbox == ""
		})
		if err != nil || inbox != "" {
			return ch, inbox, err
		}
	}
	return "", "", nil
}

// Unit is the part of a conversation that came over one tenure of a handle.
type Unit struct {
	Customer     string // in whose stream it is stored
	Conversation string
	Handle       string
	Tenure       int64
}

// Owner is whose a unit is now, "" when nobody knows. fresh: as of what is stored now.
func (s *Settler) Owner(ctx context.Context, tenant string, u Unit, fresh bool) (string, error) {
	look := s.claims.Peek
	if fresh {
		look = s.claims.Reload
	}
	own, err := look(ctx, tenant, u.Handle)
	if err != nil {
		return "", err
	}
	if last := own.Periods.Last(); last.Number == u.Tenure && last.Customer != "" {
		return last.Customer, nil
	}
	var opened time.Time
	key := event.UnitKey(u.Conversation, u.Handle, u.Tenure)
	found := false
	err = s.history(ctx, tenant, u.Customer, func(_ eventstore.Commit, e event.Event) bool {
		switch e := e.(type) {
		case event.MessageReceived:
			if found = e.Unit == key && e.UnitOpened != nil; found {
				opened = *e.UnitOpened
			}
		case event.ReplyRequested:
			if found = e.Unit == key && e.UnitOpened != nil; found {
				opened = *e.UnitOpened
			}
		}
		return !found
	})
	if err != nil || !found {
		return "", err
	}
	owner, _ := own.Periods.Owner(u.Tenure, opened)
	return owner, nil
}

// history reads a customer's stream from its beginning, until yield returns false.
func (s *Settler) history(ctx context.Context, tenant, id string, yield func(eventstore.Commit, event.Event) bool) error {
	for c, err := range s.customers.History(ctx, tenant, id) {
		if err != nil {
			return err
		}
		events, err := codec.Decode(c)
		if err != nil {
			return err
		}
		for _, e := range events {
			if !yield(c, e) {
				return nil
			}
		}
	}
	return nil
}

// Stored finds the customer whose stream a message or change over a handle is stored in,
// among the handle's owners, and its event.
func (s *Settler) Stored(ctx context.Context, tenant, id, message string) (customer string, m event.MessageReceived, at time.Time, err error) {
	own, err := s.claims.Reload(ctx, tenant, id)
	if err != nil {
		return "", m, at, err
	}
	asked := map[string]bool{"": true}
	for _, p := range own.Periods {
		if asked[p.Customer] {
			continue
		}
		asked[p.Customer] = true
		c, ok, err := s.customers.Find(ctx, tenant, p.Customer, "msg:"+message)
		if err != nil {
			return "", m, at, err
		}
		if !ok {
			if c, ok, err = s.customers.Find(ctx, tenant, p.Customer, "change:"+message); err != nil {
				return "", m, at, err
			}
		}
		if !ok {
			continue
		}
		events, err := codec.Decode(c)
		if err != nil {
			return "", m, at, err
		}
		for _, e := range events {
			if changed, ok := e.(event.MessageChanged); ok && changed.Change == message {
				return strings.TrimPrefix(c.Stream, "customer."), event.MessageReceived{Message: message, Handle: changed.Handle, Tenure: changed.Tenure, Raw: changed.Raw}, c.RecordedAt, nil
			}
			if found, ok := e.(event.MessageReceived); ok && found.Message == message {
				return strings.TrimPrefix(c.Stream, "customer."), found, c.RecordedAt, nil
			}
		}
	}
	return "", m, at, nil
}
