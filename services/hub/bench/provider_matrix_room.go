package bench

import (
	"fmt"
	"strings"
	"time"
)

// add is called inside change.
func (h *homeserver) add(r *directRoom, kind, sender string, content map[string]any) map[string]any {
	h.last++
	e := map[string]any{
		"event_id": fmt.Sprintf("$bench%d", h.last), "type": kind, "sender": sender, "content": content,
		"origin_server_ts": time.Now().UnixMilli(), "unsigned": map[string]any{"age": 1},
	}
	r.events = append(r.events, roomEvent{h.last, e})
	return e
}

// member is called inside change; was is the membership before, if there was one.
func (h *homeserver) member(r *directRoom, sender, user, membership, was string) {
	content := map[string]any{"membership": membership}
	switch membership {
	case "join":
		content["displayname"] = strings.TrimPrefix(strings.TrimSuffix(user, ":"+matrixServer), "@")
	case "invite":
		content["is_direct"] = true
	}
	e := h.add(r, "m.room.member", sender, content)
	e["state_key"] = user
	if was != "" {
		e["unsigned"] = map[string]any{"age": 1, "prev_content": map[string]any{"membership": was}}
	}
}

// state is who is in the room: the latest event of each.
func (r *directRoom) state() []any {
	var keys []string
	latest := map[string]map[string]any{}
	for _, e := range r.events {
		key, ok := e.json["state_key"].(string)
		if !ok {
			continue
		}
		if latest[key] == nil {
			keys = append(keys, key)
		}
		latest[key] = e.json
	}
	list := []any{}
	for _, key := range keys {
		list = append(list, latest[key])
	}
	return list
}

// since is the room's part of a sync ("GET /_matrix/client/v3/sync"), in as many
// events as are asked for; nil: nothing happened.
func (r *directRoom) since(pos, limit int) map[string]any {
	if r.joined > pos { // everything of a room one has come into
		pos = 0
	}
	events, from, limited := []any{}, 0, false
	for _, e := range r.events {
		if e.pos > pos {
			events = append(events, e.json)
			if len(events) == 1 {
				from = e.pos
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	if len(events) > limit {
		limited, events = true, events[len(events)-limit:]
	}
	return map[string]any{
		"state":    map[string]any{"events": []any{}}, // it is all in the timeline
		"timeline": map[string]any{"events": events, "limited": limited, "prev_batch": fmt.Sprint("t", from)},
	}
}

// invitation is what one sees of a room before one has joined ("Stripped state").
func (r *directRoom) invitation() map[string]any {
	return map[string]any{"invite_state": map[string]any{"events": r.state()}}
}
