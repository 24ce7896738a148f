package command

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// SplitConversation shows 1 to customer.LimitSplit messages or replies of a
// conversation, in the order given, as a conversation of their own. The result
// names the new one. What is stored does not change: neither whose it is nor
// where an answer goes.
func (s *Service) SplitConversation(ctx context.Context, o Order, entries []string) (Result, error) {
	o, err := s.prepare(ctx, o)
	if err != nil {
		return Result{}, err
	}
	id := s.id("split", o)
	cmd := customer.Split{
		ID: "cmd:" + id, Conversation: o.Conversation, NewConversation: s.Keys.Hash("conversation", o.Tenant, id),
	}
	if n := len(entries); n < 1 || n > customer.LimitSplit {
		return Result{}, &customer.FieldError{Field: "entry_ids", Problem: fmt.Sprintf("must be 1 to %d, are %d", customer.LimitSplit, n)}
	}
	for _, entry := range entries {
		e, err := s.entry(ctx, o.Tenant, entry)
		if err != nil {
			return Result{}, err
		}
		cmd.Entries = append(cmd.Entries, e)
	}
	r, err := s.run(ctx, o, step{cmd: func(uint64) customer.Command { return cmd }})
	r.Conversation = cmd.NewConversation
	return r, err
}

// entry looks up where a message or a reply is stored; the zero conversation when it is not known.
func (s *Service) entry(ctx context.Context, tenant, id string) (customer.Entry, error) {
	m, ok, err := s.Lookup.Message(ctx, tenant, id)
	if err != nil {
		return customer.Entry{}, fmt.Errorf("look up entry: %w", err)
	}
	if ok {
		return customer.Entry{
			ID: id, Conversation: m.Conversation, Handle: m.Handle, Tenure: m.Tenure,
			Inbound: true, Channel: m.Channel, Inbox: m.Inbox,
		}, nil
	}
	r, ok, err := s.Lookup.Reply(ctx, tenant, id)
	if err != nil {
		return customer.Entry{}, fmt.Errorf("look up entry: %w", err)
	}
	if ok {
		return customer.Entry{ID: id, Conversation: r.Conversation, Handle: r.Handle, Tenure: r.Tenure}, nil
	}
	return customer.Entry{ID: id}, nil
}
