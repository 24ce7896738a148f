package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"

	"golang.org/x/sync/errgroup"
)

const (
	mostCustomers = 200 // that write in a round: a page of the queue holds them
	eachSays      = 5   // messages of each
	posters       = 16  // requests under way at once
	channelPublic = "https://hub.bench.test"
)

// source is a channel and who writes over it.
type source struct {
	name  string
	inbox string // its settings in YAML; API is where the provider answers
	// unnumbered: its messages are not those of text(sender, n), so their order cannot be told.
	unnumbered bool
	// ready waits until senders from on can write, which is not measured; nil: they always can.
	ready func(ctx context.Context, from, senders int) error
	// write lets them say eachSays messages each.
	write func(ctx context.Context, hub *child, from, senders int) error
	// acknowledged waits until the hub has told its provider that it has
	// everything; nil: write does.
	acknowledged func(ctx context.Context) error
	// asked is how many requests of the hub the provider has answered; nil: it asks nothing.
	asked func() int
}

// channels: what each channel takes in, from the provider's side of it until
// the messages are on the timelines, one channel after the other at one hub. The
// API channel, which is the least there is, is measured between all others.
func channels(ctx context.Context, b *bench) error {
	dir, remove, err := b.tempDir()
	if err != nil {
		return err
	}
	defer remove()
	provider := httptest.NewServer(http.HandlerFunc(anything))
	defer provider.Close()
	box, err := b.openMailbox(ctx)
	if err != nil {
		return err
	}
	defer box.close()
	asked, leave, err := askedSources()
	if err != nil {
		return err
	}
	defer leave()
	api := apiSource()
	list := slices.Concat([]source{api}, sources(provider.URL), asked)
	if box.user != nil {
		list = append(list, mailSource(box))
	}
	config := ""
	for _, s := range list {
		config += s.inbox
	}
	// Whoever reads everybody's timeline would be refused as one who takes the customers along.
	config += "public_url: " + channelPublic + "\noutgoing:\n  allow: [127.0.0.0/8]\naudit:\n  bulk_read: 0\n"
	hub, err := startChild(ctx, b.Exe, dir, config)
	if err != nil {
		return err
	}
	defer hub.kill()
	calls, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	figures, order, from, known := map[string]*intakeFigures{}, []string{}, 0, map[string]bool{}
	for range b.Rounds {
		for _, s := range list {
			round := []source{api, s}
			if s.name == api.name {
				round = round[:1]
			}
			var base float64
			for _, s := range round {
				got, err := b.takeChannel(ctx, hub, calls, s, from, known)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				from += b.Customers
				f := figures[s.name]
				if f == nil {
					f = &intakeFigures{}
					figures[s.name] = f
					order = append(order, s.name)
				}
				f.rate, f.cpu = append(f.rate, got.rate), append(f.cpu, got.cpu)
				if s.asked != nil {
					f.asked = append(f.asked, got.asked)
				}
				if s.name == api.name {
					base = got.rate
				} else {
					f.ratio = append(f.ratio, got.rate/base)
				}
			}
		}
	}
	for _, name := range order {
		f := figures[name]
		if name == "bench" { // the mailbox
			name = "email"
		}
		b.report.put("channels", name+": taken in", "1/s", f.rate...)
		b.report.put("channels", name+": CPU of the hub", "ms/message", f.cpu...)
		b.report.put("channels", name+": against the API channel just before", "×", f.ratio...)
		if len(f.asked) > 0 {
			b.report.put("channels", name+": requests of the hub", "1/message", f.asked...)
		}
	}
	return hub.stop()
}

// posts writes by signed requests: request makes the nth message of a sender.
func posts(request func(sender, n int) *http.Request) func(context.Context, *child, int, int) error {
	return func(ctx context.Context, hub *child, from, senders int) error {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}, Timeout: patience}
		defer client.CloseIdleConnections()
		var g errgroup.Group
		g.SetLimit(posters)
		for sender := range senders {
			g.Go(func() error { // one sender's messages come one after the other
				for n := range eachSays {
					r := request(from+sender, n).WithContext(ctx)
					at := *r.URL
					at.Scheme, at.Host = "http", hub.url[len("http://"):]
					r.URL, r.Host, r.RequestURI = &at, at.Host, ""
					res, err := client.Do(r)
					if err != nil {
						return err
					}
					answer, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
					res.Body.Close()
					if res.StatusCode/100 != 2 {
						return fmt.Errorf("the hub answered %s: %s", res.Status, bytes.TrimSpace(answer))
					}
				}
				return nil
			})
		}
		return g.Wait()
	}
}

// anything is the provider where an adapter asks for a name or sets its webhook.
func anything(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true,"result":true,"displayName":"Customer","user":{"id":"U1","team_id":"T0BENCH","name":"customer","profile":{"display_name":"Customer"}},"user_id":"U0BOT","team_id":"T0BENCH","bot_id":"B0BOT"}`)
}
