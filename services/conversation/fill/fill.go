// Package fill writes synthetic histories straight into the event log, past
// intake and commands, for measurements. The log is as a hub would have
// written it: sealed under real keys, one stream per customer and per handle.
package fill

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Config says how much.
type Config struct {
	// Conversations is how many customers there are, each with one conversation.
	Conversations int
	// Messages is how many each one has, at least 1; they are in one commit.
	Messages int
	// Long is how many more messages the first customer has, a commit each.
	Long int
	// Crowd makes one person of the customers after the first, so many of them.
	// Each says Turns more messages, in turn with the others; and the customer
	// after them says as many alone.
	Crowd, Turns int
	// Inbox the messages came by.
	Inbox string
	// Start is the time of the first commit; the others follow a millisecond apart.
	Start time.Time
}

// batch is how many customers are written at once.
const batch = 256

// Filler writes. Not safe for concurrent use.
type filler struct {
	cfg    Config
	events eventstore.Store
	keys   crypt.Keyring
	n      int            // messages so far
	heads  map[int]uint64 // last commit of the first customers
}

// Write appends two commits for each conversation, Long more and those of the
// crowd, to a log that has none of them, and returns how many that were. It
// names the first customer.
func Write(ctx context.Context, events eventstore.Store, keys crypt.Keyring, cfg Config) (commits int, first string, err error) {
	f := &filler{cfg: cfg, events: events, keys: keys, heads: map[int]uint64{}}
	if cfg.Crowd > 0 && cfg.Crowd+2 > min(batch, cfg.Conversations) {
		return 0, "", fmt.Errorf("a crowd of %d needs %d conversations, at most %d", cfg.Crowd, cfg.Crowd+2, batch)
	}
	for from := 0; from < cfg.Conversations; from += batch {
		n := min(batch, cfg.Conversations-from)
		if err := f.ensure(ctx, from, n); err != nil {
			return commits, "", err
		}
		var all []eventstore.Append
		for i := from; i < from+n; i++ {
			two, err := f.customer(ctx, i)
			if err != nil {
				return commits, "", err
			}
			all = append(all, two...)
		}
		seq, err := f.append(ctx, all)
		if err != nil {
			return commits, "", err
		}
		commits += len(all)
		if from == 0 {
			for i := range n {
				f.heads[i] = seq[2*i+1]
			}
			for range cfg.Long {
				if err := f.say(ctx, 0); err != nil {
					return commits, "", err
				}
			}
			crowd, err := f.crowd(ctx)
			if err != nil {
				return commits, "", err
			}
			commits += cfg.Long + crowd
		}
	}
	return commits, Customer(0), nil
}

// Customer and Conversation name the i-th, counted from 0.
func Customer(i int) string     { return fmt.Sprintf("cu%010d", i) }
func Conversation(i int) string { return fmt.Sprintf("co%010d", i) }

// Address is the mail address the i-th writes from.
func Address(i int) string { return fmt.Sprintf("customer%d@example.org", i) }

func address(i int) channel.Address {
	return channel.Address{Kind: "email", Address: Address(i), Name: "Customer " + strconv.Itoa(i)}
}

func (f *filler) ensure(ctx context.Context, from, n int) error {
	names := make([]string, 0, 2*n)
	for i := from; i < from+n; i++ {
		h := handleid.Of(f.keys, address(i))
		names = append(names, event.AddressKey(h, 1), event.UnitKey(Conversation(i), h, 1))
	}
	if err := f.keys.Ensure(ctx, names...); err != nil {
		return fmt.Errorf("make keys: %w", err)
	}
	return nil
}

// customer is the claim of a handle and everything he wrote.
func (f *filler) customer(ctx context.Context, i int) ([]eventstore.Append, error) {
	a := address(i)
	h, id, conv := handleid.Of(f.keys, a), Customer(i), Conversation(i)
	box, err := seal.JSON(ctx, f.keys, event.AddressKey(h, 1),
		event.Address{Kind: a.Kind, Address: a.Address, Name: a.Name}, event.AddressAAD(h, 1))
	if err != nil {
		return nil, err
	}
	claim, err := f.commit("handle."+h, "claim:"+h+":1", 0, i, event.HandleClaimed{
		Tenure: 1, Customer: id, Kind: a.Kind, Assurance: 1, Address: box, Evidence: event.Evidence{Kind: "new"},
	})
	if err != nil {
		return nil, err
	}
	title, err := seal.Text(ctx, f.keys, event.UnitKey(conv, h, 1), fmt.Sprintf("Order %d", i), event.SubjectAAD(conv))
	if err != nil {
		return nil, err
	}
	events := []event.Event{
		event.CustomerCreated{},
		event.HandleAttached{Handle: h, Kind: a.Kind, Tenure: 1},
		event.ConversationOpened{Conversation: conv, Topic: conv, Inbox: f.cfg.Inbox, Channel: a.Kind, Subject: title},
	}
	name := ""
	for n := range max(1, f.cfg.Messages) {
		m, err := f.message(ctx, i, h, n == 0)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			name = m.Message
		}
		events = append(events, m)
	}
	said, err := f.commit("customer."+id, "msg:"+name, 0, i, events...)
	return []eventstore.Append{claim, said}, err
}

func (f *filler) message(ctx context.Context, i int, h string, opens bool) (event.MessageReceived, error) {
	f.n++
	id := f.keys.Hash("fill", strconv.Itoa(f.n))
	unit := event.UnitKey(Conversation(i), h, 1)
	m := event.MessageReceived{
		Message: id, Conversation: Conversation(i), Handle: h, Tenure: 1, Channel: "email", Inbox: f.cfg.Inbox,
		OccurredAt: f.at(i), Unit: unit, Assurance: 1, Refs: []string{f.keys.Hash("fill ref", strconv.Itoa(f.n))},
	}
	if opens {
		m.UnitOpened = &m.OccurredAt
	}
	var err error
	m.Body, err = seal.JSON(ctx, f.keys, unit, event.MessageBody{
		Content: channel.Content{Subject: fmt.Sprintf("Order %d", i), Text: words(f.n)},
		From:    address(i).Address, FromName: address(i).Name, ThreadIDs: []string{fmt.Sprintf("<%d@example.org>", f.n)},
	}, event.MessageAAD(id))
	return m, err
}

// say gives one of the first customers one more message.
func (f *filler) say(ctx context.Context, i int) error {
	m, err := f.message(ctx, i, handleid.Of(f.keys, address(i)), false)
	if err != nil {
		return err
	}
	a, err := f.commit("customer."+Customer(i), "msg:"+m.Message, f.heads[i], max(f.n, f.cfg.Conversations), m)
	if err != nil {
		return err
	}
	got, err := f.append(ctx, []eventstore.Append{a})
	if err != nil {
		return err
	}
	f.heads[i] = got[0]
	return nil
}

// crowd links customers and lets them speak in turn, and the one after them alone.
func (f *filler) crowd(ctx context.Context) (commits int, err error) {
	if f.cfg.Crowd == 0 {
		return 0, nil
	}
	var all []eventstore.Append
	for i := 2; i <= f.cfg.Crowd; i++ {
		link := "fill" + strconv.Itoa(i)
		a, err := f.commit("link."+Customer(1)+"."+Customer(i), link, 0, f.cfg.Conversations, event.Linked{
			Link: link, A: Customer(1), B: Customer(i), Rule: "agent",
		})
		if err != nil {
			return 0, err
		}
		all = append(all, a)
	}
	if _, err := f.append(ctx, all); err != nil {
		return 0, err
	}
	for range f.cfg.Turns {
		for i := 1; i <= f.cfg.Crowd; i++ {
			for _, who := range []int{i, f.cfg.Crowd + 1} {
				if err := f.say(ctx, who); err != nil {
					return 0, err
				}
			}
		}
	}
	return len(all) + 2*f.cfg.Turns*f.cfg.Crowd, nil
}

func (f *filler) commit(stream, id string, expect uint64, n int, events ...event.Event) (eventstore.Append, error) {
	records, err := codec.Encode(events)
	return eventstore.Append{Tenant: subject.DefaultTenant, Stream: stream, Expect: expect, Commit: eventstore.Commit{
		ID: id, RecordedAt: f.at(n), Actor: "customer", Records: records,
	}}, err
}

func (f *filler) at(n int) time.Time {
	return f.cfg.Start.Add(time.Duration(n) * time.Millisecond).UTC().Truncate(time.Microsecond)
}

func (f *filler) append(ctx context.Context, all []eventstore.Append) ([]uint64, error) {
	seqs := make([]uint64, len(all))
	for i, r := range f.events.Append(ctx, all...) {
		if r.Err != nil {
			return nil, fmt.Errorf("append %s: %w", all[i].Commit.ID, r.Err)
		}
		seqs[i] = r.Seq
	}
	return seqs, nil
}
