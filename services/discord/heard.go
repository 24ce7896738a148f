package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// event takes in one event. What cannot be read as one has nothing to be kept under.
func (f *follower) event(ctx context.Context, b *batch, e frame) error {
	switch e.Name {
	case "MESSAGE_CREATE", "MESSAGE_UPDATE":
		var m message
		if _ = json.Unmarshal(e.Data, &m); m.Guild != "" || !idForm.MatchString(m.ID) || !idForm.MatchString(m.Channel) {
			return nil
		}
		if e.Name == "MESSAGE_UPDATE" {
			return f.edited(ctx, b, m, e.Data)
		}
		if m.Author.ID == f.me.ID {
			b.own(f.a.kept, f.id, m)
			return nil
		}
		if !m.person() {
			return nil
		}
		p, err := f.current(ctx, b, m)
		if err != nil || p.Aside {
			return err
		}
		b.types[m.Author.ID] = typist{m.Author, false}
		return f.written(b, p, m, e.Data)
	case "MESSAGE_DELETE":
		var r removed
		if json.Unmarshal(e.Data, &r) != nil || r.Guild != "" || !idForm.MatchString(r.ID) {
			return nil
		}
		return f.about(ctx, b, r.Channel, r.ID, false, func(with user) stored { return stored{Kind: kindDelete, With: &with, Data: e.Data} }, "delete:"+ref(r.Channel, r.ID))
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		var r reaction
		if json.Unmarshal(e.Data, &r) != nil || r.Guild != "" || r.User == f.me.ID || !idForm.MatchString(r.Message) {
			return nil
		}
		kind := kindReacted
		if e.Name == "MESSAGE_REACTION_REMOVE" {
			kind = kindUnreacted
		}
		id := fmt.Sprintf("reaction:%s:%d", f.at.Session, e.Seq)
		return f.about(ctx, b, r.Channel, r.Message, true, func(with user) stored { return stored{Kind: kind, With: &with, ID: id, Data: e.Data} }, id)
	case "TYPING_START":
		var t typing
		if json.Unmarshal(e.Data, &t) != nil || t.Guild != "" || t.User == f.me.ID || b.at.Sub(time.Unix(t.At, 0)) > typingLasts {
			return nil
		}
		if p, err := f.known(ctx, b, t.Channel); err != nil || p == nil || p.Aside || p.With.ID != t.User {
			return err
		}
		b.types[t.User] = typist{user{ID: t.User}, true}
	}
	return nil
}

// written takes in a message of the customer's.
func (f *follower) written(b *batch, p *place, m message, data json.RawMessage) error {
	if !p.behind && newer(m.ID, p.Last) {
		p.Last = m.ID
	}
	p.With = m.Author
	if !said(m.Type) {
		return nil // of Discord's own: somebody has pinned something
	}
	return f.input(b, "message:"+ref(m.Channel, m.ID), m.Author, stored{Kind: kindMessage, Data: data})
}

// edited takes in a message as it is now. Discord tells of previews, pins and
// the like in the same way; only an edit has a time of its own.
func (f *follower) edited(ctx context.Context, b *batch, m message, data json.RawMessage) error {
	if m.EditedAt == "" || !m.person() || !said(m.Type) {
		return nil
	}
	p, err := f.known(ctx, b, m.Channel)
	if err != nil || p == nil || p.Aside {
		return err
	}
	return f.input(b, "edit:"+ref(m.Channel, m.ID)+"@"+hosted.Clip(m.EditedAt, 40), m.Author, stored{Kind: kindEdit, Data: data})
}

// about takes in what says little of who did it: he is known by the channel.
func (f *follower) about(ctx context.Context, b *batch, channelID, messageID string, ofOurs bool, in func(with user) stored, providerID string) error {
	p, err := f.known(ctx, b, channelID)
	if err != nil || p == nil || p.Aside || p.With.ID == "" {
		return err
	}
	if !ofOurs {
		if own, err := f.a.kept.isOwn(ctx, f.id, channelID, messageID); err != nil || own || b.ours[ref(channelID, messageID)] {
			return err // another program of ours takes back what we said
		}
	}
	return f.input(b, providerID, p.With, in(p.With))
}

// known is a channel as it will be behind what comes now; nil: nothing was said there yet.
func (f *follower) known(ctx context.Context, b *batch, channelID string) (*place, error) {
	if p := b.places[channelID]; p != nil {
		return p, nil
	}
	return f.place(ctx, channelID)
}
