package matrix_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// sync holds the question until there is news ("GET /_matrix/client/v3/sync").
func (h *homeserver) sync(w http.ResponseWriter, r *http.Request, who login) {
	q := r.URL.Query()
	var f struct {
		Room struct {
			Timeline struct{ Limit int }
		}
	}
	if err := json.Unmarshal([]byte(q.Get("filter")), &f); err != nil {
		h.t.Errorf("filter: %v", err)
	}
	since, ok := position(q.Get("since"))
	h.mu.Lock()
	if h.lost && q.Get("since") != "" {
		ok = false
	}
	h.mu.Unlock()
	if !ok {
		deny(w, http.StatusBadRequest, "M_INVALID_PARAM", "since is not known")
		return
	}
	ms, _ := strconv.Atoi(q.Get("timeout"))
	hold := time.After(time.Duration(ms) * time.Millisecond)
	for {
		h.mu.Lock()
		h.lost = h.lost && q.Get("since") != ""
		h.seen[who.user] = max(h.seen[who.user], since)
		answer, news := h.news(who.user, since, q.Get("since") == "", f.Room.Timeline.Limit)
		wake := h.wake
		h.mu.Unlock()
		if news || q.Get("since") == "" {
			give(w, answer)
			return
		}
		select {
		case <-wake:
		case <-hold:
			give(w, answer)
			return
		case <-r.Context().Done():
			return
		}
	}
}

// news is what happened to a user after since; h.mu is held.
func (h *homeserver) news(user string, since int, all bool, limit int) (map[string]any, bool) {
	join, leave, invite := map[string]any{}, map[string]any{}, map[string]any{}
	for id, room := range h.rooms {
		mine := -1 // when we came to be what we are
		for _, e := range room.events {
			if e.kind == "m.room.member" && e.key != nil && *e.key == user && e.was != e.content["membership"] {
				mine = e.pos
			}
		}
		switch room.membership(user) {
		case "join":
			if u := room.update(user, since, all || mine > since, limit, h.pos); u != nil {
				join[id] = u
			}
		case "leave", "ban":
			if mine > since && !all {
				leave[id] = room.update(user, since, false, limit, mine)
			}
		case "invite":
			if mine > since {
				var stripped []any
				for _, e := range room.state(h.pos) {
					if e.kind == "m.room.member" && (*e.key == user || *e.key == e.sender) || e.kind == "m.room.name" || e.kind == "m.room.encryption" {
						stripped = append(stripped, map[string]any{"type": e.kind, "sender": e.sender, "state_key": *e.key, "content": e.content})
					}
				}
				invite[id] = map[string]any{"invite_state": map[string]any{"events": stripped}}
			}
		}
	}
	rooms := map[string]any{"join": join, "leave": leave, "invite": invite}
	return map[string]any{"next_batch": fmt.Sprint("s", h.pos), "rooms": rooms}, len(join)+len(leave)+len(invite) > 0
}

// update is a room's part of a sync; nil: nothing happened.
func (r *fakeRoom) update(user string, since int, whole bool, limit, upTo int) map[string]any {
	var fresh []*fakeEvent
	for _, e := range r.events {
		if e.pos <= upTo && (whole || e.pos > since) {
			fresh = append(fresh, e)
		}
	}
	reads := map[string]any{}
	for _, x := range r.reads {
		if x.pos > since {
			reads[x.event] = map[string]any{"m.read": map[string]any{x.user: map[string]any{"ts": x.at}}}
		}
	}
	if len(fresh) == 0 && len(reads) == 0 {
		return nil
	}
	limited := len(fresh) > limit
	timeline := fresh[max(0, len(fresh)-limit):]
	start := upTo
	if len(timeline) > 0 {
		start = timeline[0].pos - 1
	}
	var state, events []any
	for _, e := range r.state(start) {
		if whole || e.pos > since {
			state = append(state, e.json(user, ""))
		}
	}
	for _, e := range timeline {
		events = append(events, e.json(user, ""))
	}
	var ephemeral []any
	if len(reads) > 0 {
		ephemeral = append(ephemeral, map[string]any{"type": "m.receipt", "content": reads})
	}
	return map[string]any{
		"state":     map[string]any{"events": state},
		"timeline":  map[string]any{"events": events, "limited": limited, "prev_batch": fmt.Sprint("t", start)},
		"ephemeral": map[string]any{"events": ephemeral},
	}
}

// messages pages through a room ("GET /rooms/{roomId}/messages").
func (h *homeserver) messages(w http.ResponseWriter, r *http.Request, who login, room *fakeRoom) {
	q := r.URL.Query()
	from, ok := position(q.Get("from"))
	limit, err := strconv.Atoi(q.Get("limit"))
	if q.Get("from") == "" {
		from = h.pos
	}
	if !ok || err != nil || q.Get("dir") != "b" {
		h.t.Errorf("messages: %s", r.URL.RawQuery)
		deny(w, http.StatusBadRequest, "M_INVALID_PARAM", "parameters are wrong")
		return
	}
	var chunk []any
	out := map[string]any{"start": q.Get("from")}
	for _, e := range slices.Backward(room.events) {
		if e.pos > from {
			continue
		}
		if len(chunk) == limit {
			out["end"] = fmt.Sprint("t", e.pos)
			break
		}
		chunk = append(chunk, e.json(who.user, room.id))
	}
	if chunk == nil {
		chunk = []any{}
	}
	out["chunk"] = chunk
	give(w, out)
}

// acknowledged says whether a user has synced past an event.
func (h *homeserver) acknowledged(user, event string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, room := range h.rooms {
		for _, e := range room.events {
			if e.id == event {
				return h.seen[user] >= e.pos
			}
		}
	}
	return false
}
