package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/weftline/weftline/pkg/channel"
)

// room is the state of a room that matters here.
type room struct {
	members   map[string]member
	encrypted bool
	name      string
}

type member struct {
	membership string
	name       string
}

// apply takes in one state event.
func (r *room) apply(e event) {
	if e.StateKey == nil {
		return
	}
	switch e.Type {
	case "m.room.member":
		r.members[*e.StateKey] = member{e.Content.Membership, e.Content.Name}
	case "m.room.encryption":
		r.encrypted = true // it cannot be switched off again
	case "m.room.name":
		r.name = e.Content.RoomName
	}
}

// others are who is in the room, or invited, beside us.
func (r *room) others(me string) (out []string) {
	for user, m := range r.members {
		if !same(user, me) && (m.membership == "join" || m.membership == "invite") {
			out = append(out, user)
		}
	}
	return out
}

// group says whether there are more than two.
func (r *room) group(me string) bool { return len(r.others(me)) > 1 }

// in says whether a user is.
func (r *room) in(user string) bool {
	for u, m := range r.members {
		if m.membership == "join" && same(u, user) {
			return true
		}
	}
	return false
}

func (r *room) clone() *room {
	c := *r
	c.members = map[string]member{}
	for k, v := range r.members {
		c.members[k] = v
	}
	return &c
}

// loadRoom asks for a room's state ("GET /rooms/{roomId}/state").
func (a *Adapter) loadRoom(ctx context.Context, id string, c config, roomID string) (*room, error) {
	r := &room{members: map[string]member{}}
	var state []json.RawMessage
	err := a.call(ctx, id, c, http.MethodGet, path(client+"/rooms/%s/state", roomID), nil, &state)
	if refusedAs(err) {
		return r, nil // we are not in it: nobody is known
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a room's state: %w", err)
	}
	for _, b := range state {
		r.apply(decode(b))
	}
	return r, nil
}

// known is a room as the sync has it, else as the homeserver says now.
func (a *Adapter) known(ctx context.Context, id string, c config, roomID string) (*room, error) {
	acc := a.account(id)
	acc.mu.Lock()
	r := acc.rooms[roomID]
	if r != nil {
		r = r.clone()
	}
	acc.mu.Unlock()
	if r != nil {
		return r, nil
	}
	return a.loadRoom(ctx, id, c, roomID)
}

// roomWith is the room in which a customer was heard last; "": none is known.
func (a *Adapter) roomWith(ctx context.Context, id, user string) (string, error) {
	var v with
	_, err := a.kept.Get(ctx, colRooms, a.kept.with(id, user), &v)
	return v.Room, err
}

// target chooses the room for an answer: that of the message it answers, else
// where the customer was heard last. A refusal is in words for agents.
func (a *Adapter) target(ctx context.Context, c config, out channel.Outbound) (roomID, no string, err error) {
	me, err := a.me(ctx, out.Inbox, c)
	if err != nil {
		return "", "", err
	}
	asked := ""
	for _, ref := range append([]string{out.InReplyTo}, out.References...) {
		if r, _, ok := fromRef(ref); ok {
			asked = r
			break
		}
	}
	no = "there is no direct room with this customer: he has to invite this inbox's account to a chat"
	heard, err := a.roomWith(ctx, out.Inbox, out.To.Address)
	if err != nil {
		return "", "", err
	}
	for _, roomID := range []string{asked, heard} {
		if roomID == "" {
			continue
		}
		r, err := a.known(ctx, out.Inbox, c, roomID)
		switch {
		case err != nil:
			return "", "", err
		case !r.in(me):
			no = "this inbox's account is not in the room any more"
		case !r.in(out.To.Address):
			no = "the customer has left the room"
		case r.group(me):
			no = "others are in the room now: only direct rooms are served, and nothing is sent there"
		case r.encrypted:
			no = "the room is encrypted: this inbox can neither read nor write there; ask the customer for a chat without encryption"
		default:
			return roomID, "", nil
		}
	}
	return "", no, nil
}

var errGap = errors.New("a gap in the room could not be filled")
