package domaintest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Domain is the real domain over a store in memory.
type Domain struct {
	t         testing.TB
	Store     *eventstore.Memory
	Keys      crypt.Keyring
	View      *View
	Customers *aggregate.Repository[customer.State]
	Claims    *claim.Claimer
	Ingest    *ingest.Handler
	Orders    *command.Service
	Clock     time.Time // moves only when the test moves it
	Parse     func(channel.Raw) ([]channel.Item, error)
	// Fetch is the channels' Fetcher; nil has nothing.
	Fetch func(context.Context, channel.Attachment) (io.ReadCloser, error)
}

// Start is the first time of a Domain's clock.
var Start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// New makes a domain whose parser reads JSON of []channel.Item, with the
// inboxes "support" (email), "widget" (chat) and "texts" (sms).
func New(t testing.TB) *Domain {
	t.Helper()
	d := &Domain{t: t, Store: eventstore.NewMemory(2), Keys: crypt.NewMemory(), Clock: Start}
	d.View = NewView(d.Store)
	d.Parse = func(raw channel.Raw) ([]channel.Item, error) {
		var items []channel.Item
		return items, json.Unmarshal(raw.Body, &items)
	}
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return d.Clock }
	cfg := aggregate.Config{Now: now}
	var n atomic.Int64
	newID := func() string { return fmt.Sprintf("id%d", n.Add(1)) }
	d.Customers = aggregate.New(cfg, aggregate.Customer(customer.DefaultBounds), d.Store, d.Store, log)
	d.Claims = claim.New(aggregate.New(cfg, aggregate.Handle(), d.Store, d.Store, log), d.Keys, newID)
	var err error
	if d.Ingest, err = ingest.New(ingest.Deps{
		Customers: d.Customers, Claims: d.Claims, Keys: d.Keys,
		Parsers: func(name string) (channel.Parser, bool) {
			return parser{d}, name == "email" || name == "chat" || name == "sms"
		},
		Refs: d.View, Replies: d.View, Origins: d.View, Timeline: d.View, NewID: newID, Now: now, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	channels := map[string]string{"support": "email", "widget": "chat", "texts": "sms"}
	if d.Orders, err = command.New(command.Deps{
		Customers: d.Customers, Claims: d.Claims, Keys: d.Keys, Lookup: Lookup{d.View}, Timeline: d.View,
		Channel: func(inbox string) (string, bool) { c, ok := channels[inbox]; return c, ok }, Now: now, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

type parser struct{ d *Domain }

func (p parser) Parse(raw channel.Raw) ([]channel.Item, error) { return p.d.Parse(raw) }

// Fetch implements channel.Fetcher.
func (p parser) Fetch(ctx context.Context, _ string, a channel.Attachment) (io.ReadCloser, error) {
	if p.d.Fetch == nil {
		return nil, channel.ErrGone
	}
	return p.d.Fetch(ctx, a)
}

// Deliver takes messages in as one input of an inbox, and brings the view up to date.
func (d *Domain) Deliver(ch, inbox, providerID string, messages ...channel.Message) error {
	d.t.Helper()
	in := Input(ch, inbox, providerID, messages...)
	in.Raw.ReceivedAt = d.Clock
	return d.Handle(in)
}

// Input is messages as one input of an inbox, received at no known time.
func Input(ch, inbox, providerID string, messages ...channel.Message) ingest.Input {
	items := make([]channel.Item, len(messages))
	for i := range messages {
		items[i].Message = &messages[i]
	}
	return InputOf(ch, inbox, providerID, messages[0].From, items...)
}

// InputOf is items as one input of an inbox, received at no known time.
func InputOf(ch, inbox, providerID string, peek channel.Address, items ...channel.Item) ingest.Input {
	body, err := json.Marshal(items)
	if err != nil {
		panic(err)
	}
	return ingest.Input{Ref: "in/" + providerID, Raw: &channel.Raw{
		Channel: ch, Inbox: inbox, ProviderID: providerID, Peek: peek, Body: body,
	}}
}

// Handle takes an input in, and brings the view up to date.
func (d *Domain) Handle(in ingest.Input) error {
	d.t.Helper()
	err := d.Ingest.Handle(d.t.Context(), in)
	d.CatchUp()
	return err
}

// CatchUp brings the view up to date.
func (d *Domain) CatchUp() {
	d.t.Helper()
	if err := d.View.CatchUp(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// Commits are all commits, partition by partition.
func (d *Domain) Commits() (out []event.Commit) {
	d.t.Helper()
	for p := range d.Store.Partitions() {
		commits, err := d.Store.Read(context.Background(), p, 1, 1<<20)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, c := range commits {
			decoded, err := codec.Commit(c)
			if err != nil {
				d.t.Fatal(err)
			}
			out = append(out, decoded)
		}
	}
	return out
}

// Events of a type, in stream order.
func Events[E event.Event](d *Domain) (out []E) {
	d.t.Helper()
	for _, c := range d.Commits() {
		for _, e := range c.Events {
			if e, ok := e.(E); ok {
				out = append(out, e)
			}
		}
	}
	return out
}
