package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func (h *homeserver) serve(w http.ResponseWriter, r *http.Request) {
	h.change(func() { h.requests++ })
	where, ok := strings.CutPrefix(r.URL.EscapedPath(), "/_matrix/client/v3/")
	if !ok || r.Header.Get("Authorization") != "Bearer "+matrixToken {
		h.unknown(w, r)
		return
	}
	p := strings.Split(where, "/")
	for i := range p {
		p[i], _ = url.PathUnescape(p[i])
	}
	var room *directRoom
	if len(p) > 1 {
		h.mu.Lock()
		room = h.rooms[p[1]]
		h.mu.Unlock()
	}
	switch {
	case r.Method == http.MethodGet && where == "account/whoami":
		answerJSON(w, http.StatusOK, map[string]any{"user_id": matrixAccount, "device_id": "BENCH"})
	case r.Method == http.MethodGet && where == "sync":
		h.sync(w, r)
	case r.Method == http.MethodPost && p[0] == "join" && len(p) == 2 && room != nil:
		h.change(func() {
			if room.joined == 0 {
				h.member(room, matrixAccount, matrixAccount, "join", "invite")
				room.joined = h.last
			}
		})
		answerJSON(w, http.StatusOK, map[string]any{"room_id": room.id})
	case r.Method == http.MethodGet && p[0] == "rooms" && len(p) == 3 && p[2] == "state" && room != nil:
		h.mu.Lock()
		state := room.state()
		h.mu.Unlock()
		answerJSON(w, http.StatusOK, state)
	default:
		h.unknown(w, r)
	}
}

func (h *homeserver) unknown(w http.ResponseWriter, r *http.Request) {
	h.refuse("the hub asks the homeserver for %s %s, or with another token", r.Method, r.URL.Path)
	answerJSON(w, http.StatusNotFound, map[string]any{"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"})
}

// sync holds the question until there is news. Its since acknowledges what came before.
func (h *homeserver) sync(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var filter struct {
		Room struct {
			Timeline struct {
				Limit int `json:"limit"`
			} `json:"timeline"`
		} `json:"room"`
	}
	since, err := strconv.Atoi(strings.TrimPrefix(q.Get("since"), "s"))
	first := q.Get("since") == ""
	wait, badWait := strconv.Atoi(q.Get("timeout"))
	if json.Unmarshal([]byte(q.Get("filter")), &filter) != nil || filter.Room.Timeline.Limit < 1 || badWait != nil || err != nil && !first {
		h.refuse("the hub asks for a sync with %s", r.URL.RawQuery)
		answerJSON(w, http.StatusBadRequest, map[string]any{"errcode": "M_INVALID_PARAM", "error": "filter, since or timeout"})
		return
	}
	h.change(func() { h.acknowledge(since) })
	hold := time.NewTimer(time.Duration(wait) * time.Millisecond)
	defer hold.Stop()
	for {
		h.mu.Lock()
		join, invite := map[string]any{}, map[string]any{}
		for id, room := range h.rooms {
			switch {
			case room.joined == 0 && room.invited > since:
				invite[id] = room.invitation()
			case room.joined > 0:
				if u := room.since(since, filter.Room.Timeline.Limit); u != nil {
					join[id] = u
				}
			}
		}
		// Encoded while nothing changes: the events are shared.
		body, err := json.Marshal(map[string]any{"next_batch": fmt.Sprint("s", h.last), "rooms": map[string]any{"join": join, "invite": invite}})
		changed := h.changed
		h.mu.Unlock()
		if err != nil {
			h.refuse("write a sync: %w", err)
			return
		}
		if first || len(join)+len(invite) > 0 {
			answerJSON(w, http.StatusOK, json.RawMessage(body))
			return
		}
		select {
		case <-changed:
		case <-hold.C:
			answerJSON(w, http.StatusOK, json.RawMessage(body))
			return
		case <-r.Context().Done():
			return
		}
	}
}
