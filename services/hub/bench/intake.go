package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/conversation/fill"
)

// intake is how many mails a customer writes in a round of takeIn.
const intake = 50

// takeIn lets a customer who has written very much, and one who has not, write
// some mails each, from the mailbox until they are all on the timeline: first
// one by one, then all at once.
func (b *bench) takeIn(ctx context.Context, f *filled) error {
	box, err := b.openMailbox(ctx)
	if err != nil {
		return err
	}
	defer box.close()
	put, finish := box.append, func() error { return nil }
	if box.user == nil {
		if put, finish, err = box.remote(); err != nil {
			return err
		}
	}
	hub, err := startChild(ctx, b.Exe, f.dir, box.inbox())
	if err != nil {
		return err
	}
	defer hub.kill()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	long := fmt.Sprintf("%d messages", b.Long)
	alone, each, cpu := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	n := 0
	send := func(customer, mails int) error {
		before, err := told(ctx, api, fill.Customer(customer))
		if err != nil {
			return err
		}
		for range mails {
			n++
			if err := put(compose(fill.Address(customer), "Customer", "Order", fmt.Sprintf("<bench-intake-%d@mail.example.net>", n), "", n)); err != nil {
				return err
			}
		}
		return waitTold(ctx, api, fill.Customer(customer), before+int64(mails))
	}
	for round := range b.Rounds {
		for _, who := range []struct {
			name     string
			customer int
		}{{"a new customer", newcomer + round}, {long, 0}} {
			var waits []time.Duration
			for range 10 {
				began := time.Now()
				if err := send(who.customer, 1); err != nil {
					return fmt.Errorf("take in a mail of %s: %w", who.name, err)
				}
				waits = append(waits, time.Since(began))
			}
			slices.Sort(waits)
			used, err := hub.cpu()
			if err != nil {
				return err
			}
			began := time.Now()
			if err := send(who.customer, intake); err != nil {
				return fmt.Errorf("take in mails of %s: %w", who.name, err)
			}
			took := time.Since(began)
			now, err := hub.cpu()
			if err != nil {
				return err
			}
			alone[who.name] = append(alone[who.name], ms(waits[len(waits)/2]))
			each[who.name] = append(each[who.name], ms(took)/intake)
			cpu[who.name] = append(cpu[who.name], ms(now-used)/intake)
		}
	}
	for _, name := range []string{"a new customer", long} {
		b.report.put("identity", name+": a mail alone, until visible, p50", "ms", alone[name]...)
		b.report.put("identity", fmt.Sprintf("%s: %d mails at once, until visible", name, intake), "ms/mail", each[name]...)
		b.report.put("identity", name+": CPU of the hub for them", "ms/mail", cpu[name]...)
	}
	if err := finish(); err != nil {
		return err
	}
	return hub.stop()
}

// told is how many messages a customer's timeline counts.
func told(ctx context.Context, api inboxv1connect.InboxServiceClient, customer string) (int64, error) {
	res, err := api.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: customer, PageSize: 1})
	if err != nil {
		return 0, fmt.Errorf("read a timeline: %w", err)
	}
	var n int64
	for _, c := range res.GetConversations() {
		n += c.GetMessages()
	}
	return n, nil
}

func waitTold(ctx context.Context, api inboxv1connect.InboxServiceClient, customer string, want int64) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for since := time.Now(); time.Since(since) < 2*patience; {
		n, err := told(ctx, api, customer)
		switch {
		case err != nil:
			return err
		case n == want:
			return nil
		case n > want:
			return fmt.Errorf("%d messages are visible, want %d", n, want)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("%d messages are not visible after %s", want, 2*patience)
}
