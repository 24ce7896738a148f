package matrix

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// batch is what one sync brought, before any of it is safe.
type batch struct {
	at       time.Time
	inputs   []channel.Raw
	receipts []channel.Receipt
	places   map[string]*place // by room
	gave     map[string]reaction
	took     []string // reactions that were redacted
	groups   map[string]bool
	sealed   map[string]bool   // encrypted rooms that should be told
	with     map[string]string // the room where each was heard last
}

// changes are what is to be remembered of it.
func (b *batch) changes(f *follower) (all []hosted.Change) {
	for _, roomID := range slices.Sorted(maps.Keys(b.places)) {
		all = append(all, hosted.Put(colRooms, f.a.kept.ID(f.id, f.me, roomID), b.places[roomID]))
	}
	for _, id := range slices.Sorted(maps.Keys(b.gave)) {
		all = append(all, hosted.Put(colReactions, f.a.kept.ID(f.id, id), b.gave[id]))
	}
	for _, id := range b.took {
		all = append(all, hosted.Drop(colReactions, f.a.kept.ID(f.id, id)))
	}
	for _, user := range slices.Sorted(maps.Keys(b.with)) {
		all = append(all, hosted.Put(colRooms, f.a.kept.with(f.id, user), with{b.with[user]}))
	}
	return all
}

// gather turns a sync into inputs. It stores nothing, so it may be done again.
func (f *follower) gather(ctx context.Context, got answer) (*batch, error) {
	b := &batch{
		at: f.a.now().UTC(), places: map[string]*place{}, gave: map[string]reaction{}, groups: map[string]bool{}, sealed: map[string]bool{}, with: map[string]string{},
	}
	for _, roomID := range slices.Sorted(maps.Keys(got.Rooms.Join)) {
		if err := f.room(ctx, b, roomID, got.Rooms.Join[roomID], true); err != nil {
			return nil, err
		}
	}
	for _, roomID := range slices.Sorted(maps.Keys(got.Rooms.Leave)) {
		// What was said before we left is in here.
		if err := f.room(ctx, b, roomID, got.Rooms.Leave[roomID], false); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// room takes in the news of one room.
func (f *follower) room(ctx context.Context, b *batch, roomID string, u update, joined bool) error {
	p := &place{}
	if _, err := f.a.kept.Get(ctx, colRooms, f.a.kept.ID(f.id, f.me, roomID), p); err != nil {
		return err
	}
	events := u.Timeline.Events
	if u.Timeline.Limited || f.at.Since == "" {
		older, err := f.backfill(ctx, roomID, u, p.Last)
		if err != nil {
			return err
		}
		events = append(older, events...)
	}
	f.acc.mu.Lock()
	r := f.acc.rooms[roomID]
	if r != nil {
		r = r.clone()
	}
	f.acc.mu.Unlock()
	if r == nil {
		var err error
		if r, err = f.a.loadRoom(ctx, f.id, f.c, roomID); err != nil {
			return err
		}
	}
	for _, raw := range u.State.Events {
		r.apply(decode(raw))
	}
	entered := f.entered(u)
	for _, raw := range f.fresh(events, p.Last) {
		e := decode(raw)
		if e.ID == "" {
			continue // no event ("Room event format"): there is nothing to know it by
		}
		r.apply(e)
		p.Last = e.ID
		if err := f.event(ctx, b, p, roomID, r, e, raw); err != nil {
			return err
		}
	}
	f.read(b, p, roomID, u)
	b.places[roomID] = p
	if joined {
		b.groups[roomID] = r.group(f.me)
		if r.encrypted && entered && !p.Told {
			b.sealed[roomID] = true
		}
		if others := r.others(f.me); entered && len(others) == 1 {
			b.with[person(others[0], "").Address] = roomID
		}
	}
	f.acc.mu.Lock()
	defer f.acc.mu.Unlock()
	if joined {
		f.acc.rooms[roomID] = r
	} else {
		delete(f.acc.rooms, roomID)
	}
	return nil
}

// fresh leaves out what was taken in before. On the first sync of an account
// that is everything up to what it said or did last: its history is nobody's question.
func (f *follower) fresh(events []json.RawMessage, last string) []json.RawMessage {
	from := 0
	for i, raw := range events {
		e := decode(raw)
		if last != "" && e.ID == last || last == "" && f.at.Since == "" && f.ours(e) {
			from = i + 1
		}
	}
	return events[from:]
}

// ours says whether we did it: wrote, or came in.
func (f *follower) ours(e event) bool {
	return same(e.Sender, f.me) && (e.StateKey == nil || e.Type == "m.room.member" && *e.StateKey == f.me)
}

// entered says whether we came into the room with this update.
func (f *follower) entered(u update) bool {
	for _, raw := range slices.Concat(u.State.Events, u.Timeline.Events) {
		e := decode(raw)
		if e.Type == "m.room.member" && e.StateKey != nil && *e.StateKey == f.me &&
			e.Content.Membership == "join" && e.Unsigned.PrevContent.Membership != "join" {
			return f.at.Since != ""
		}
	}
	return false
}

// event takes in one event that is new.
func (f *follower) event(ctx context.Context, b *batch, p *place, roomID string, r *room, e event, raw json.RawMessage) error {
	if same(e.Sender, f.me) {
		if id, ok := outboundOf(e.Unsigned.Transaction); ok && e.Type == "m.room.message" {
			p.Unread = append(p.Unread, sent{e.ID, id})
			p.Unread = p.Unread[max(0, len(p.Unread)-maxUnread):]
			if p.Read == e.ID {
				f.readUpTo(b, p, roomID, e.ID, 0)
			}
		}
		return nil
	}
	if !told(e) {
		return nil
	}
	in := stored{Room: roomID, Me: f.me, Name: r.members[e.Sender].name, Event: raw}
	if r.group(f.me) {
		in.Group, in.RoomName = true, r.name
	}
	switch {
	case e.Type == "m.reaction" && e.Content.Relates == nil: // a redaction leaves no content ("Redactions")
		b.gave[e.ID] = reaction{Gone: true}
		return nil
	case e.Type == "m.reaction":
		b.gave[e.ID] = reaction{Target: e.Content.Relates.Event, Key: e.Content.Relates.Key}
	case e.Type == "m.room.redaction":
		gave, ok := b.gave[e.redacted()]
		if !ok {
			if _, err := f.a.kept.Get(ctx, colReactions, f.a.kept.ID(f.id, e.redacted()), &gave); err != nil {
				return err
			}
		}
		if gave.Target != "" || gave.Gone {
			in.Reaction = &gave
			b.took = append(b.took, e.redacted())
			delete(b.gave, e.redacted())
		}
		if gave.Gone {
			return nil
		}
	case e.Type == "m.room.encrypted" && !p.Told:
		b.sealed[roomID] = true
	}
	from := person(e.Sender, "")
	if in.Group {
		from = channel.Address{Kind: kindRoom, Scope: f.id, Address: roomID}
	} else {
		b.with[from.Address] = roomID
	}
	b.inputs = append(b.inputs, channel.Raw{
		Channel: Name, Inbox: f.id, ProviderID: refOf(roomID, e.ID), Peek: from, ReceivedAt: b.at, ContentType: ContentType, Body: encode(in),
	})
	return nil
}

// told says whether an event is something that somebody said or did to a
// message. State of the room and what clients tell one another about calls and keys is not.
func told(e event) bool {
	if e.StateKey != nil {
		return e.Type == "m.room.member" && e.Content.Membership == "leave" && *e.StateKey == e.Sender
	}
	switch e.Type {
	case "m.room.message", "m.room.encrypted", "m.sticker", "m.reaction", "m.room.redaction", "m.call.invite",
		"m.poll.start", "org.matrix.msc3381.poll.start":
		return true
	}
	return false
}
