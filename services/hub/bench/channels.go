package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

const (
	channelSenders = 200 // customers that write in a round; a page of the queue holds them
	eachSays       = 5   // messages of each
	posters        = 16  // requests under way at once
	channelPublic  = "https://hub.bench.test"
)

// source is a channel and who writes over it.
type source struct {
	name  string
	inbox string // its settings in YAML; API is where the provider answers
	// write lets senders from on, channelSenders of them, say eachSays messages each.
	write func(ctx context.Context, hub *child, from int) error
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
	api := apiSource()
	list := append([]source{api}, sources(provider.URL)...)
	if box.user != nil {
		list = append(list, mailSource(box))
	}
	config := ""
	for _, s := range list {
		config += s.inbox
	}
	config += "public_url: " + channelPublic + "\noutgoing:\n  allow: [127.0.0.0/8]\n"
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
				from += channelSenders
				f := figures[s.name]
				if f == nil {
					f = &intakeFigures{}
					figures[s.name] = f
					order = append(order, s.name)
				}
				f.rate, f.cpu = append(f.rate, got.rate), append(f.cpu, got.cpu)
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
	}
	return hub.stop()
}

// intakeFigures are those of one channel, by round.
type intakeFigures struct{ rate, cpu, ratio []float64 }

type intakeRound struct{ rate, cpu float64 }

func (b *bench) takeChannel(ctx context.Context, hub *child, api inboxv1connect.InboxServiceClient, s source, from int, known map[string]bool) (intakeRound, error) {
	used, err := hub.cpu()
	if err != nil {
		return intakeRound{}, err
	}
	began := time.Now()
	if err := s.write(ctx, hub, from); err != nil {
		return intakeRound{}, err
	}
	const messages = channelSenders * eachSays
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := shownOf(ctx, api, s.name, known)
		if err != nil {
			return intakeRound{}, err
		}
		if n >= messages {
			break
		}
		if time.Since(began) > 4*patience {
			return intakeRound{}, fmt.Errorf("%d of %d messages are visible after %s", n, messages, 4*patience)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return intakeRound{}, ctx.Err()
		}
	}
	took := time.Since(began)
	now, err := hub.cpu()
	if err != nil {
		return intakeRound{}, err
	}
	b.say("%s: %.0f messages/s", s.name, messages/took.Seconds())
	return intakeRound{rate: messages / took.Seconds(), cpu: ms(now-used) / messages}, nil
}

// shownOf counts the messages of the newest conversations of an inbox that are
// not known; when all are there they are known from then on.
func shownOf(ctx context.Context, api inboxv1connect.InboxServiceClient, inbox string, known map[string]bool) (int64, error) {
	res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{InboxId: inbox, PageSize: channelSenders})
	if err != nil {
		return 0, fmt.Errorf("read the queue: %w", err)
	}
	var n int64
	for _, c := range res.GetConversations() {
		if !known[c.GetId()] {
			n += c.GetMessages()
		}
	}
	if n >= channelSenders*eachSays {
		for _, c := range res.GetConversations() {
			known[c.GetId()] = true
		}
	}
	return n, nil
}

// posts writes by signed requests: request makes the nth message of a sender.
func posts(request func(sender, n int) *http.Request) func(context.Context, *child, int) error {
	return func(ctx context.Context, hub *child, from int) error {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}, Timeout: patience}
		defer client.CloseIdleConnections()
		var g errgroup.Group
		g.SetLimit(posters)
		for sender := range channelSenders {
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

// chatSource writes by sockets.
func chatSource() source {
	return source{name: "chat", inbox: chatInboxNamed("chat"), write: func(ctx context.Context, hub *child, from int) error {
		c := &crowd{hub: hub, inbox: "chat"}
		defer c.cut()
		people := make([]*sitter, channelSenders)
		for i := range people {
			people[i] = &sitter{index: from + i}
		}
		c.members = people
		var g errgroup.Group
		g.SetLimit(posters)
		for _, s := range people {
			g.Go(func() error {
				if err := s.dial(ctx, hub, c.inbox); err != nil {
					return err
				}
				for range eachSays {
					if err := s.write(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return g.Wait()
	}}
}

// mailSource fills the mailbox; the hub fetches.
func mailSource(box *mailbox) source {
	return source{name: "bench", inbox: box.inbox(), write: func(_ context.Context, _ *child, from int) error {
		var errs []error
		for n := range eachSays {
			for i := range channelSenders {
				sender := from + i
				id := fmt.Sprintf("<channels-%d-%d@mail.example.net>", sender, n)
				first := fmt.Sprintf("<channels-%d-0@mail.example.net>", sender)
				if n == 0 {
					first = ""
				}
				errs = append(errs, box.append(compose(fmt.Sprintf("c%d@example.net", sender), "Customer", "Order", id, first, sender)))
			}
		}
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		return errors.Join(errs...)
	}}
}
