package bench

import (
	"context"
	"fmt"
	"net"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// mail: a full mailbox, until every mail is visible through the API.
func mail(ctx context.Context, b *bench) error {
	floor, err := openFloor(ctx, b.Dir)
	if err != nil {
		return err
	}
	defer floor.close()
	var rate, cpu, raw, rawCPU, ratio, disk []float64
	for round := range b.Rounds {
		got, sz, err := b.mailRound(ctx, round)
		if err != nil {
			return err
		}
		low, err := floor.pairs(ctx, 64, sz, min(b.Window, 3*time.Second))
		if err != nil {
			return err
		}
		syncs, err := fsyncs(b.Dir, time.Second)
		if err != nil {
			return err
		}
		n := float64(b.Mails)
		r := n / got.took.Seconds()
		b.say("%.0f mails/s, %.2f ms CPU each; raw %.0f/s", r, ms(got.cpu)/n, low.perSecond())
		rate, cpu, disk = append(rate, r), append(cpu, ms(got.cpu)/n), append(disk, syncs)
		raw, rawCPU = append(raw, low.perSecond()), append(rawCPU, ms(low.cpu)/float64(len(low.waits)))
		ratio = append(ratio, r/low.perSecond())
	}
	b.report.put("mail", fmt.Sprintf("%d mails until visible", b.Mails), "1/s", rate...)
	b.report.put("mail", "CPU of the hub, its start included", "ms/mail", cpu...)
	b.report.put("mail", "floor: two synced appends", "1/s", raw...)
	b.report.put("mail", "floor: CPU of two synced appends", "ms/mail", rawCPU...)
	b.report.put("mail", "share of the floor", "×", ratio...)
	b.report.put("mail", "disk: fsyncs of 1 KB appends to one file", "1/s", disk...)
	return nil
}

// mailRound fills the mailbox, starts a hub and waits.
func (b *bench) mailRound(ctx context.Context, round int) (w window, sz sizes, err error) {
	box, err := b.openMailbox(ctx)
	if err != nil {
		return w, sz, err
	}
	defer box.close()
	senders, err := box.fill(ctx, b.Mails, round)
	if err != nil {
		return w, sz, err
	}
	dir, remove, err := b.tempDir()
	if err != nil {
		return w, sz, err
	}
	defer remove()
	hub, err := startChild(ctx, b.Exe, dir, box.inbox())
	if err != nil {
		return w, sz, err
	}
	defer hub.kill()
	began := time.Now()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return w, sz, err
	}
	profiled := make(chan error, 1)
	if round == 0 {
		go func() { profiled <- b.profile(ctx, hub, "mail", 5*time.Second) }()
	} else {
		profiled <- nil
	}
	if err := waitVisible(ctx, api, senders, b.Mails); err != nil {
		return w, sz, err
	}
	w.took = time.Since(began)
	if w.cpu, err = hub.cpu(); err != nil {
		return w, sz, err
	}
	if err := <-profiled; err != nil {
		return w, sz, err
	}
	if err := hub.stop(); err != nil {
		return w, sz, err
	}
	sz, err = measureSizes(ctx, dir)
	return w, sz, err
}

// waitVisible looks at the queue until it shows all conversations and all messages in them.
func waitVisible(ctx context.Context, api inboxv1connect.InboxServiceClient, conversations, messages int) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	last, since := int64(-1), time.Now()
	for {
		got, err := visible(ctx, api, conversations)
		switch {
		case err != nil:
			return fmt.Errorf("look at the queue: %w", err)
		case got == int64(messages):
			return nil
		case got > int64(messages):
			return fmt.Errorf("%d messages are visible, %d were sent", got, messages)
		case got != last:
			last, since = got, time.Now()
		case time.Since(since) > 2*time.Minute:
			return fmt.Errorf("%d of %d messages are visible, and no more come", got, messages)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// visible counts messages, which takes many pages: only when the conversations are there.
func visible(ctx context.Context, api inboxv1connect.InboxServiceClient, conversations int) (int64, error) {
	res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 1})
	if err != nil {
		return 0, err
	}
	if open := res.GetCounts().GetOpen(); open < int64(conversations) {
		return -open - 2, nil
	}
	var total int64
	for page := ""; ; {
		res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 200, PageToken: page})
		if err != nil {
			return 0, err
		}
		for _, c := range res.GetConversations() {
			total += c.GetMessages()
		}
		if page = res.GetNextPageToken(); page == "" {
			return total, nil
		}
	}
}

func hostPort(address string) (host, port string, err error) {
	if host, port, err = net.SplitHostPort(address); err != nil {
		return "", "", fmt.Errorf("imap: %q is not host:port", address)
	}
	return host, port, nil
}
