package bench

import (
	"context"
	"fmt"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/conversation/fill"
)

// crowdOf is how many customers the person of the identity case is.
const crowdOf = 50

// newcomer is the first of the customers who have said two things and are kept
// for the mails of a round each.
const newcomer = crowdOf + 10

// identity: what it costs that a person is many customers, and that a customer
// has said very much.
func identity(ctx context.Context, b *bench) error {
	f, err := b.fillPerson(ctx)
	if err != nil {
		return err
	}
	// The first order finds no snapshot of the long stream and makes one. Then
	// the hub starts anew, so that the orders below are cold: from a snapshot.
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return err
	}
	defer func() { hub.kill() }()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	before, err := hub.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := note(ctx, api, fill.Conversation(0)); err != nil {
		return err
	}
	b.report.put("identity", fmt.Sprintf("%d messages: first order ever, without a snapshot", b.Long), "ms", ms(time.Since(began)))
	after, err := hub.cpu()
	if err != nil {
		return err
	}
	b.report.put("identity", fmt.Sprintf("%d messages: CPU of that", b.Long), "ms", ms(after-before))
	if err := hub.stop(); err != nil {
		return err
	}
	if err := b.cold(ctx, f); err != nil {
		return err
	}
	if err := b.takeIn(ctx, f); err != nil {
		return err
	}
	if hub, err = startChild(ctx, b.Exe, f.dir, idleInbox); err != nil {
		return err
	}
	if api, err = newAPI(ctx, hub); err != nil {
		return err
	}
	for _, p := range []struct {
		name string
		call func() error
	}{
		{"timeline of one customer, newest 50", func() error { return timeline(ctx, api, fill.Customer(crowdOf+1)) }},
		{fmt.Sprintf("timeline of a person of %d, newest 50", crowdOf), func() error { return timeline(ctx, api, fill.Customer(1)) }},
		{fmt.Sprintf("%d messages: timeline, newest 50", b.Long), func() error { return timeline(ctx, api, f.first) }},
		{"a new customer: an order", func() error { return note(ctx, api, fill.Conversation(crowdOf+3)) }},
		{fmt.Sprintf("%d messages: an order", b.Long), func() error { return note(ctx, api, fill.Conversation(0)) }},
	} {
		if err := b.measure("identity", p.name, p.call); err != nil {
			return err
		}
	}
	if err := b.profile(ctx, hub, "identity", time.Second); err != nil {
		return err
	}
	return hub.stop()
}

// cold: the first page and the first order after a start, when nothing is in
// memory but what every request needs.
func (b *bench) cold(ctx context.Context, f *filled) error {
	long := fmt.Sprintf("%d messages", b.Long)
	for _, p := range []struct {
		name string
		call func(inboxv1connect.InboxServiceClient) error
	}{
		{"timeline of one customer, the first after a start", func(api inboxv1connect.InboxServiceClient) error {
			return timeline(ctx, api, fill.Customer(crowdOf+1))
		}},
		{fmt.Sprintf("timeline of a person of %d, the first after a start", crowdOf), func(api inboxv1connect.InboxServiceClient) error {
			return timeline(ctx, api, fill.Customer(1))
		}},
		{long + ": timeline, the first after a start", func(api inboxv1connect.InboxServiceClient) error {
			return timeline(ctx, api, f.first)
		}},
		{"a new customer: an order after a start", func(api inboxv1connect.InboxServiceClient) error {
			return note(ctx, api, fill.Conversation(crowdOf+2))
		}},
		{long + ": an order after a start", func(api inboxv1connect.InboxServiceClient) error {
			return note(ctx, api, fill.Conversation(0))
		}},
	} {
		var took []float64
		for range b.Rounds {
			d, err := b.coldCall(ctx, f, p.call)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took = append(took, ms(d))
		}
		b.report.put("identity", p.name, "ms", took...)
	}
	return nil
}

func (b *bench) coldCall(ctx context.Context, f *filled, call func(inboxv1connect.InboxServiceClient) error) (time.Duration, error) {
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return 0, err
	}
	defer hub.kill()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return 0, err
	}
	// Connections and statements, by way of somebody else.
	if _, err := told(ctx, api, fill.Customer(crowdOf+9)); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := call(api); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, hub.stop()
}

func note(ctx context.Context, api inboxv1connect.InboxServiceClient, conversation string) error {
	_, err := api.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: conversation, Text: "called back"})
	if err != nil {
		return fmt.Errorf("add a note: %w", err)
	}
	return nil
}

// fillPerson makes a data directory with a customer who has said very much, a
// person of many customers, and a customer beside them with as many messages.
func (b *bench) fillPerson(ctx context.Context) (*filled, error) {
	dir, remove, err := b.tempDir()
	if err != nil {
		return nil, err
	}
	b.cleanup = append(b.cleanup, remove)
	hub, err := startChild(ctx, b.Exe, dir, idleInbox) // makes streams, keys and stores as they should be
	if err == nil {
		err = hub.stop()
	}
	if err != nil {
		return nil, err
	}
	f := &filled{dir: dir}
	began := time.Now()
	err = f.write(ctx, fill.Config{Conversations: newcomer + b.Rounds, Messages: 2, Long: b.Long, Crowd: crowdOf, Turns: 4})
	if err != nil {
		return nil, fmt.Errorf("fill the log: %w", err)
	}
	b.say("log of %d commits written in %s", f.commits, time.Since(began).Round(time.Second))
	return f, b.settlePerson(ctx, f)
}

// settlePerson lets a hub project the log.
func (b *bench) settlePerson(ctx context.Context, f *filled) error {
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return err
	}
	defer hub.kill()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	began := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	want := map[string]int64{fill.Conversation(0): int64(b.Long) + 2, fill.Conversation(crowdOf): 6, fill.Conversation(crowdOf + 9): 2}
	for len(want) > 0 {
		for id, n := range want {
			res, err := api.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: id})
			if err == nil && res.GetConversation().GetMessages() >= n {
				delete(want, id)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.say("projected in %s", time.Since(began).Round(100*time.Millisecond))
	return hub.stop()
}
