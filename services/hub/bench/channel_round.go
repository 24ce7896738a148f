package bench

import (
	"context"
	"fmt"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// intakeFigures are those of one channel, by round.
type intakeFigures struct{ rate, cpu, ratio, asked []float64 }

type intakeRound struct{ rate, cpu, asked float64 }

// takeChannel lets customers write over one channel until every message is
// visible, then looks whether all is as they said it and the provider knows.
func (b *bench) takeChannel(ctx context.Context, hub *child, api inboxv1connect.InboxServiceClient, s source, from int, known map[string]bool) (r intakeRound, err error) {
	if s.ready != nil {
		if err := s.ready(ctx, from, b.Customers); err != nil {
			return r, err
		}
	}
	asked := 0
	if s.asked != nil {
		asked = s.asked()
	}
	used, err := hub.cpu()
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := s.write(ctx, hub, from, b.Customers); err != nil {
		return r, err
	}
	fresh, err := b.waitShown(ctx, api, s.name, known)
	if err != nil {
		return r, err
	}
	took := time.Since(began)
	now, err := hub.cpu()
	if err != nil {
		return r, err
	}
	if s.acknowledged != nil {
		if err := s.acknowledged(ctx); err != nil {
			return r, err
		}
	}
	messages := float64(b.Customers * eachSays)
	if s.asked != nil {
		r.asked = float64(s.asked()-asked) / messages
	}
	if err := b.checkTold(ctx, api, s, fresh, from); err != nil {
		return r, err
	}
	for _, c := range fresh {
		known[c.GetId()] = true
	}
	r.rate, r.cpu = messages/took.Seconds(), ms(now-used)/messages
	b.say("%s: %.0f messages/s", s.name, r.rate)
	return r, nil
}

// waitShown waits until the conversations of an inbox that are not known hold
// as many messages as were said.
func (b *bench) waitShown(ctx context.Context, api inboxv1connect.InboxServiceClient, inbox string, known map[string]bool) ([]*inboxv1.Conversation, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began, messages := time.Now(), int64(b.Customers*eachSays); ; {
		res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{InboxId: inbox, PageSize: mostCustomers})
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		var fresh []*inboxv1.Conversation
		var n int64
		for _, c := range res.GetConversations() {
			if !known[c.GetId()] {
				fresh = append(fresh, c)
				n += c.GetMessages()
			}
		}
		switch {
		case n == messages:
			return fresh, nil
		case n > messages:
			return nil, fmt.Errorf("%d messages are visible, %d were said", n, messages)
		case time.Since(began) > 4*patience:
			return nil, fmt.Errorf("%d of %d messages are visible after %s", n, messages, 4*patience)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
