package bench

import (
	"context"
	"fmt"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// waiting is what a hub costs whose mailboxes wait for mail.
type waiting struct {
	up       time.Duration // from the start to the last IDLE
	cpu      float64       // of a core, in percent
	resident int64
	live     live
}

// mailboxes: a hub with many mailboxes, all of them in IDLE over TLS, beside
// one that has a single mailbox; then a mail into each at once.
func mailboxes(ctx context.Context, b *bench) error {
	name := func(s string) string { return fmt.Sprintf("%d mailboxes: %s", b.Mailboxes, s) }
	one, many := map[string][]float64{}, map[string][]float64{}
	note := func(to map[string][]float64, figure string, v float64) { to[figure] = append(to[figure], v) }
	for round := range b.Rounds {
		low, _, _, err := b.mailboxRound(ctx, 1, false)
		if err != nil {
			return fmt.Errorf("a hub with one mailbox: %w", err)
		}
		high, waits, took, err := b.mailboxRound(ctx, b.Mailboxes, round == 0)
		if err != nil {
			return err
		}
		for to, w := range map[*map[string][]float64]waiting{&one: low, &many: high} {
			note(*to, "cpu", w.cpu)
			note(*to, "resident", float64(w.resident)/1e6)
			note(*to, "heap", float64(w.live.heap)/1e6)
			note(*to, "goroutines", float64(w.live.goroutines))
		}
		more := float64(max(1, b.Mailboxes-1))
		note(many, "up", high.up.Seconds())
		note(many, "resident each", float64(high.resident-low.resident)/1e3/more)
		note(many, "live each", float64(high.live.heap+high.live.stacks-low.live.heap-low.live.stacks)/1e3/more)
		note(many, "goroutines each", float64(high.live.goroutines-low.live.goroutines)/more)
		note(many, "p50", quantile(waits, .5))
		note(many, "p99", quantile(waits, .99))
		note(many, "all", took.Seconds())
	}
	put := func(name, unit string, values []float64) { b.report.put("mailboxes", name, unit, values...) }
	put(name("start to all in IDLE"), "s", many["up"])
	for _, f := range []struct{ figure, unit, says string }{
		{"resident", "MB", "resident memory"}, {"heap", "MB", "live heap"}, {"goroutines", "", "goroutines"}, {"cpu", "%", "CPU of the hub while nothing comes"},
	} {
		put("1 mailbox: "+f.says, f.unit, one[f.figure])
		put(name(f.says), f.unit, many[f.figure])
	}
	put(name("resident memory, each"), "KB", many["resident each"])
	put(name("live heap and stacks, each"), "KB", many["live each"])
	put(name("goroutines, each"), "", many["goroutines each"])
	put(name("a mail into each at once, visible, p50"), "ms", many["p50"])
	put(name("a mail into each at once, visible, p99"), "ms", many["p99"])
	put(name("a mail into each at once, all visible"), "s", many["all"])
	return nil
}

func (b *bench) mailboxRound(ctx context.Context, n int, profiled bool) (w waiting, waits []time.Duration, took time.Duration, err error) {
	dir, remove, err := b.tempDir()
	if err != nil {
		return w, nil, 0, err
	}
	defer remove()
	office, err := openPostOffice(dir+".pem", n) // beside the data: in it nothing but a configuration is expected
	if err != nil {
		return w, nil, 0, err
	}
	defer office.close()
	began := time.Now()
	hub, err := startChild(ctx, b.Exe, dir, office.inboxes(n), "SSL_CERT_FILE="+office.roots)
	if err != nil {
		return w, nil, 0, err
	}
	defer hub.kill()
	if err := office.waitIdle(ctx, n); err != nil {
		return w, nil, 0, err
	}
	w.up = time.Since(began)
	b.say("%d in IDLE after %s", n, w.up.Round(time.Millisecond))
	pause(ctx, b.Window/3) // what starting took is over
	before, err := hub.cpu()
	if err != nil {
		return w, nil, 0, err
	}
	pause(ctx, b.Window)
	after, err := hub.cpu()
	if err != nil {
		return w, nil, 0, err
	}
	w.cpu = 100 * (after - before).Seconds() / b.Window.Seconds()
	if w.resident, err = hub.rss(); err != nil {
		return w, nil, 0, err
	}
	if w.live, err = hub.live(ctx); err != nil {
		return w, nil, 0, err
	}
	// They are still waiting: what was measured is n mailboxes in IDLE.
	if err := office.allIdle(n); err != nil {
		return w, nil, 0, err
	}
	if profiled {
		if err := b.profile(ctx, hub, "mailboxes", time.Second); err != nil {
			return w, nil, 0, err
		}
	}
	api, err := newAPI(ctx, hub)
	if err != nil {
		return w, nil, 0, err
	}
	if waits, took, err = office.mailEach(ctx, api); err != nil {
		return w, nil, 0, err
	}
	return w, waits, took, hub.stop()
}

// mailEach puts a mail into every mailbox and looks until each is visible. A
// wait is counted from before the mail is put in; looking takes up to lookEvery longer.
func (p *postOffice) mailEach(ctx context.Context, api inboxv1connect.InboxServiceClient) (waits []time.Duration, took time.Duration, err error) {
	const lookEvery = 20 * time.Millisecond
	put := map[string]time.Time{}
	began := time.Now()
	for i := range p.users {
		inbox, mail := fmt.Sprintf("box%d", i), letter(0, i, len(p.users))
		put[inbox] = time.Now()
		if err := p.deliver(i, mail); err != nil {
			return nil, 0, fmt.Errorf("put a mail into mailbox %d: %w", i, err)
		}
	}
	seen := map[string]bool{}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for len(seen) < len(put) {
		if time.Since(began) > 4*patience {
			return nil, 0, fmt.Errorf("%d of %d mails are visible after %s", len(seen), len(put), 4*patience)
		}
		for page := ""; ; {
			res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 200, PageToken: page})
			if err != nil {
				return nil, 0, fmt.Errorf("look at the queue: %w", err)
			}
			for _, c := range res.GetConversations() {
				at, ours := put[c.GetInboxId()]
				if !ours || c.GetMessages() != 1 {
					return nil, 0, fmt.Errorf("a conversation of %d messages in inbox %q, want one message in a mailbox of ours", c.GetMessages(), c.GetInboxId())
				}
				if !seen[c.GetInboxId()] {
					seen[c.GetInboxId()] = true
					waits = append(waits, time.Since(at))
				}
			}
			if page = res.GetNextPageToken(); page == "" {
				break
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return waits, time.Since(began), nil
}
