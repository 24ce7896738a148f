package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ContentType of stored inputs: one event as it came, with what we know of it.
const ContentType = "application/vnd.weftline.discord+json"

// Kinds of stored inputs, by their events.
const (
	kindMessage   = "message"
	kindEdit      = "edit"
	kindDelete    = "delete"
	kindReacted   = "reacted"
	kindUnreacted = "unreacted"
)

// stored is an input.
type stored struct {
	Kind string `json:"kind"`
	Me   string `json:"me"` // the bot's id
	// With is the customer whose direct messages these are: events but the first say only ids, or nothing, of who did it.
	With *user `json:"with,omitempty"`
	// ID of a reaction, which has none: its place in its session.
	ID string `json:"id,omitempty"`
	// Data of the event as it came.
	Data json.RawMessage `json:"data"`
}

// batch is what is made durable at once.
type batch struct {
	at      time.Time
	inputs  []channel.Raw
	changes []hosted.Change
	ours    map[string]bool   // messages of ours among what came
	places  map[string]*place // as they will be, by channel
	types   map[string]typist // by user: what agents are shown once it is safe
}

// typist is somebody who types, or has written.
type typist struct {
	with user
	on   bool
}

func (f *follower) newBatch() *batch {
	return &batch{at: f.a.now().UTC(), ours: map[string]bool{}, places: map[string]*place{}, types: map[string]typist{}}
}

// own notes a message of ours.
func (b *batch) own(k *kept, inboxID string, m message) {
	b.ours[ref(m.Channel, m.ID)] = true
	b.changes = append(b.changes, k.own(inboxID, m.Channel, m.ID, m.nonce())...)
}

// keep takes in events and keeps how far it came. It may be called again with the same ones.
func (f *follower) keep(ctx context.Context, frames []frame) error {
	b := f.newBatch()
	for _, e := range frames {
		if err := f.event(ctx, b, e); err != nil {
			return err
		}
	}
	next := f.at
	next.Seq = f.reached(frames)
	if len(b.inputs)+len(b.changes)+len(b.places) > 0 || f.a.now().Sub(f.savedAt) > time.Minute {
		if err := f.store(ctx, b, hosted.Put(colCursors, f.key(), next)); err != nil {
			return err
		}
		f.savedAt = f.a.now()
	}
	f.show(b)
	return nil
}

// store makes a batch durable: first what people said, then how far we are.
func (f *follower) store(ctx context.Context, b *batch, more ...hosted.Change) error {
	if len(b.inputs) > 0 {
		if err := f.a.deps.Intake.Accept(ctx, b.inputs...); err != nil {
			return fmt.Errorf("store what came: %w", err)
		}
		f.a.deps.Inboxes.SetHealth(f.id, inbox.Health{LastIn: b.at})
	}
	all := b.changes
	for _, p := range b.places {
		docs, err := f.remembered(ctx, p)
		if err != nil {
			return err
		}
		all = append(all, docs...)
	}
	if all = append(all, more...); len(all) > 0 {
		return f.a.kept.Save(ctx, all...)
	}
	return nil
}

// show tells agents who types.
func (f *follower) show(b *batch) {
	if f.a.deps.Typing == nil {
		return
	}
	for _, t := range b.types {
		f.a.deps.Typing(channel.Address{Kind: Name, Scope: f.id, Address: t.with.ID}, t.on)
	}
}

func (f *follower) input(b *batch, providerID string, by user, in stored) error {
	in.Me = f.me.ID
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	b.inputs = append(b.inputs, channel.Raw{
		Channel: Name, Inbox: f.id, ProviderID: providerID, ReceivedAt: b.at, ContentType: ContentType, Body: body,
		Peek: channel.Address{Kind: Name, Scope: f.id, Address: by.ID},
	})
	return nil
}
