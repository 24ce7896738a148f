package bench

import (
	"context"
	"fmt"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/conversation/fill"
)

// readCalls is how often each page is read in a round.
const readCalls = 300

// read: what agents wait for, over HTTP with a token, as the number of
// conversations grows.
func read(ctx context.Context, b *bench) error {
	if b.Filled != "" {
		if err := b.readFilled(ctx); err != nil {
			return fmt.Errorf("%s: %w", b.Filled, err)
		}
	}
	for _, n := range b.Sizes {
		f, err := b.fill(ctx, n)
		if err != nil {
			return err
		}
		if err := b.readPages(ctx, f, n); err != nil {
			return fmt.Errorf("%d conversations: %w", n, err)
		}
	}
	return nil
}

// readFilled reads pages of a hub that an earlier run has filled.
func (b *bench) readFilled(ctx context.Context) error {
	hub, err := startChild(ctx, b.Exe, b.Filled, idleInbox)
	if err != nil {
		return err
	}
	defer hub.kill()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	all, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 1})
	if err != nil {
		return fmt.Errorf("count conversations: %w", err)
	}
	if err := hub.stop(); err != nil {
		return err
	}
	return b.readPages(ctx, &filled{dir: b.Filled, first: fill.Customer(0)}, int(all.GetCounts().GetOpen()))
}

func (b *bench) readPages(ctx context.Context, f *filled, n int) error {
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return err
	}
	defer hub.kill()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	pages := []struct {
		name string
		call func() error
	}{
		{"queue, first page of 50", func() error { return queue(ctx, api) }},
		{"timeline, newest 50", func() error { return timeline(ctx, api, f.first) }},
		{"search, two words of many", func() error { return search(ctx, api, "parcel kettle") }}, // each in a third of all messages
		{"search, a rare word", func() error { return search(ctx, api, "order 77") }},
	}
	for _, p := range pages {
		if err := b.measure("read", fmt.Sprintf("%d conversations: %s", n, p.name), p.call); err != nil {
			return err
		}
	}
	if err := b.profile(ctx, hub, fmt.Sprintf("read-%d", n), time.Second); err != nil {
		return err
	}
	return hub.stop()
}

// measure calls again and again and reports how long it took.
func (b *bench) measure(caseName, name string, call func() error) error {
	for range 20 { // connections, statements, caches
		if err := call(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	var p50, p99 []float64
	for range b.Rounds {
		waits := make([]time.Duration, 0, readCalls)
		for range readCalls {
			began := time.Now()
			if err := call(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			waits = append(waits, time.Since(began))
		}
		p50, p99 = append(p50, quantile(waits, .5)), append(p99, quantile(waits, .99))
	}
	b.report.put(caseName, name+", p50", "ms", p50...)
	b.report.put(caseName, name+", p99", "ms", p99...)
	b.say("%s", name)
	return nil
}

func queue(ctx context.Context, api inboxv1connect.InboxServiceClient) error {
	res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{Status: inboxv1.Status_STATUS_OPEN, PageSize: 50})
	if err == nil && len(res.GetConversations()) == 0 {
		err = fmt.Errorf("the page is empty")
	}
	return err
}

func timeline(ctx context.Context, api inboxv1connect.InboxServiceClient, customer string) error {
	res, err := api.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: customer, PageSize: 50})
	if err == nil && len(res.GetEntries()) != 50 {
		err = fmt.Errorf("%d entries, want 50", len(res.GetEntries()))
	}
	return err
}

func search(ctx context.Context, api inboxv1connect.InboxServiceClient, words string) error {
	res, err := api.Search(ctx, &inboxv1.SearchRequest{Query: words, PageSize: 20})
	if err == nil && len(res.GetHits()) == 0 {
		err = fmt.Errorf("nothing was found")
	}
	return err
}
