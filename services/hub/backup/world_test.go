package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/outbox"
)

// A small domain over the real parts, with the hub's own order of effects:
//
//	input ─► commit "input-…", acknowledge       receipt ─► commit "receipt-…", acknowledge
//	commit "reply-…" ─► OUT, checkpoint          OUT ─► far side, record, receipt, acknowledge

// far is the world outside: it does not go back when a hub is restored.
type far struct {
	mu   sync.Mutex
	sent map[string]int
}

func (f *far) Send(_ context.Context, out channel.Outbound) (channel.Receipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[out.ID]++
	return channel.Receipt{State: channel.StateSent, ProviderID: "far-" + out.ID}, nil
}

// serve runs what consumes until ctx ends.
func (h *hub) serve(ctx context.Context, f *far) error {
	g, ctx := errgroup.WithContext(ctx)
	sub, err := natsbus.NewSubscriber(h.bus, natsbus.SubscriberConfig{Durable: "conversation", Streams: natsbus.InStreams(partitions), MaxAttempts: -1}, nil, nil)
	if err != nil {
		return err
	}
	r, err := natsbus.NewRouter(nil, nil)
	if err != nil {
		return err
	}
	r.AddConsumerHandler("conversation", "in.>", sub, h.take)
	g.Go(func() error { return r.Run(ctx) })
	for p := range partitions {
		g.Go(func() error { return h.policy(ctx, p) })
	}
	g.Go(func() error {
		return outbox.Run(ctx, outbox.Deps{
			Bus: h.bus, Keys: h.keys, Intake: h.intake, State: h.state,
			Senders: func(string) (channel.Sender, bool) { return f, true },
		}, "email")
	})
	err = g.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// take makes a commit of an input.
func (h *hub) take(m *message.Message) error {
	in, err := intake.Decode(m.Context(), h.keys, h.blobs, m.Metadata, m.Payload)
	if err != nil {
		return err
	}
	c := eventstore.Commit{Cause: in.Ref}
	stream := ""
	switch {
	case in.Raw != nil:
		c.ID, stream = "input-"+in.Raw.ProviderID, "customer."+in.Raw.Peek.Address
		c.Records = []eventstore.Record{{Type: "input", V: 1, Data: json.RawMessage(`{}`)}}
	default:
		c.ID, stream = "receipt-"+in.Receipt.Outbound+"-"+string(in.Receipt.State), "customer."+in.Receipt.Customer
		c.Records = []eventstore.Record{{Type: "receipt", V: 1, Data: json.RawMessage(fmt.Sprintf(`{"reply":%q,"state":%q}`, in.Receipt.Outbound, in.Receipt.State))}}
		if past, err := h.history(m.Context(), stream); err != nil || len(past) == 0 {
			return errors.Join(err, fmt.Errorf("receipt of %s is ahead of the log", in.Receipt.Outbound))
		}
	}
	_, err = h.once(m.Context(), stream, c)
	return err
}

// policy hands replies to the outbox, with a checkpoint after each commit.
func (h *hub) policy(ctx context.Context, p int) error {
	from, err := h.state.Checkpoint(ctx, "policy", p)
	if err != nil {
		return err
	}
	for c, err := range h.events.Follow(ctx, p, from) {
		if err == nil && c.Records[0].Type == "reply" {
			err = h.send(ctx, c)
		}
		if err == nil {
			err = h.state.Apply(ctx, docstore.Batch{Checkpoints: []docstore.Checkpoint{{Name: "policy", Partition: p, Seq: c.Seq}}})
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	return nil
}

func (h *hub) send(ctx context.Context, c eventstore.Commit) error {
	past, err := h.history(ctx, c.Stream)
	if err != nil {
		return err
	}
	var r struct{ ID, Customer string }
	if err := json.Unmarshal(c.Records[0].Data, &r); err != nil {
		return err
	}
	for _, p := range past {
		if p.ID == "receipt-"+r.ID+"-sent" || p.ID == "receipt-"+r.ID+"-unknown" {
			return nil
		}
	}
	return outbox.Publish(ctx, h.bus, h.keys, "unit/"+r.Customer, channel.Outbound{
		ID: r.ID, Channel: "email", Inbox: "support", Customer: r.Customer, At: c.RecordedAt,
		To: channel.Address{Kind: "email", Address: r.Customer}, Content: channel.Content{Text: "hello"},
	})
}

// mail takes mails in, in order, with a cursor behind them.
func (h *hub) mail(ctx context.Context, box string, done func(provider string)) error {
	for n := 1; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s-%d", box, n)
		body := []byte("mail " + id)
		if n%5 == 0 {
			body = append(body, make([]byte, 3000)...) // goes to the blob store
		}
		err := h.intake.Accept(ctx, channel.Raw{
			Channel: "email", Inbox: "support", ProviderID: id, ReceivedAt: time.Now().UTC(),
			Peek: channel.Address{Kind: "email", Address: fmt.Sprintf("%s-c%d", box, n%7)}, Body: body,
		})
		if err == nil {
			done(id)
			err = h.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{
				Collection: "cursors",
				Doc:        docstore.Doc{ID: box, JSON: fmt.Appendf(nil, `{"last":%d}`, n)},
			}}})
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// write is an agent who replies, and sets timers.
func (h *hub) write(ctx context.Context, agent string, done func(eventstore.Result, string)) error {
	for n := 1; ctx.Err() == nil; n++ {
		id, customer := fmt.Sprintf("%s-%d", agent, n), fmt.Sprintf("%s-c%d", agent, n%5)
		r, err := h.once(ctx, "customer."+customer, eventstore.Commit{
			ID: "reply-" + id, Actor: agent,
			Records: []eventstore.Record{{Type: "reply", V: 1, Data: json.RawMessage(fmt.Sprintf(`{"ID":%q,"Customer":%q}`, id, customer))}},
		})
		if err == nil {
			done(r, id)
			at := time.Now().Add(time.Hour)
			if n%4 == 0 {
				at = time.Now().Add(20 * time.Millisecond)
			}
			err = h.bus.Schedule(ctx, "default", "wake", id, at, []byte(id))
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
