package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	matrixRoom = "!story:story.test"
	matrixUser = "@desk:story.test"
)

// homeserver is as much of a Matrix homeserver as a story needs: a customer
// invites the account to one room, and what happens there is given to a sync.
type homeserver struct {
	*httptest.Server
	mu     sync.Mutex
	joined bool
	events []map[string]any
	sent   []any
	done   map[string]string // event by transaction
	gone   bool
}

func (h *homeserver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_matrix/client/v3/")
	if r.Header.Get("Authorization") != "Bearer story-token" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token"}`)
		return
	}
	var result any = map[string]any{}
	switch {
	case path == "account/whoami":
		result = map[string]any{"user_id": matrixUser}
	case path == "sync":
		result = h.sync(r)
	case strings.HasPrefix(path, "join/"):
		h.mu.Lock()
		h.joined = true
		h.mu.Unlock()
		h.add(map[string]any{
			"type": "m.room.member", "sender": matrixUser, "state_key": matrixUser, "content": map[string]any{"membership": "join"},
			"unsigned": map[string]any{"prev_content": map[string]any{"membership": "invite"}},
		})
	case strings.HasSuffix(path, "/state"):
		member := func(user, name, membership string) map[string]any {
			return map[string]any{
				"type": "m.room.member", "event_id": "$m" + name, "sender": user, "state_key": user,
				"content": map[string]any{"membership": membership, "displayname": name},
			}
		}
		result = []any{member("@ada:story.test", "Ada", "join"), member(matrixUser, "Desk", "join")}
	case strings.Contains(path, "/send/m.room.message/"):
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		h.mu.Lock()
		no, txn := h.gone, path[strings.LastIndexByte(path, '/')+1:]
		if h.done[txn] == "" && !no {
			h.sent = append(h.sent, body)
			h.done[txn] = fmt.Sprint("$sent", len(h.sent))
		}
		result = map[string]any{"event_id": h.done[txn]}
		h.mu.Unlock()
		if no {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errcode":"M_FORBIDDEN","error":"You are not in that room"}`)
			return
		}
	case strings.Contains(path, "/receipt/"), strings.Contains(path, "/typing/"):
	default:
		http.Error(w, `{"errcode":"M_UNRECOGNIZED"}`, http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(result)
}

func (h *homeserver) add(e map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e["event_id"] == nil {
		e["event_id"] = fmt.Sprint("$e", len(h.events)+1)
	}
	h.events = append(h.events, e)
}

// sync waits for an event after since, which is how many were given.
func (h *homeserver) sync(r *http.Request) any {
	since, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("since"), "s"))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		h.mu.Lock()
		joined, fresh, n := h.joined, h.events[min(since, len(h.events)):], len(h.events)
		h.mu.Unlock()
		switch {
		case !joined && n > 0 && r.URL.Query().Get("since") != "":
			return map[string]any{"next_batch": "s0", "rooms": map[string]any{"invite": map[string]any{matrixRoom: map[string]any{"invite_state": map[string]any{"events": []any{
				map[string]any{"type": "m.room.member", "sender": "@ada:story.test", "state_key": matrixUser, "content": map[string]any{"membership": "invite", "is_direct": true}},
			}}}}}}
		case joined && len(fresh) > 0:
			timeline := map[string]any{"events": fresh, "limited": false, "prev_batch": fmt.Sprint("t", since)}
			return map[string]any{"next_batch": fmt.Sprint("s", n), "rooms": map[string]any{"join": map[string]any{matrixRoom: map[string]any{"timeline": timeline}}}}
		case r.URL.Query().Get("since") == "":
			return map[string]any{"next_batch": "s0", "rooms": map[string]any{}}
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return nil
		}
	}
}

// cmdMatrix is the homeserver of the inbox "room":
//
//	matrix listens            before start
//	matrix event FILE…        events of the room in which the customer is; with the first the account is invited
//	matrix forbids            from now on the account may not write
//	matrix got N PATH VALUE   waits for the Nth message that was sent; VALUE as in got
func cmdMatrix(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case neg:
		ts.Fatalf("matrix cannot be negated")
	case len(args) == 1 && args[0] == "listens":
		w.matrix = &homeserver{done: map[string]string{}}
		w.matrix.Server = httptest.NewServer(w.matrix)
		ts.Defer(func() {
			w.matrix.CloseClientConnections() // the hub is waiting for events
			w.matrix.Close()
		})
		w.inboxes = append(w.inboxes, map[string]any{"id": "room", "channel": "matrix", "name": "Shop", "settings": map[string]string{
			"homeserver": w.matrix.URL, "access_token": "story-token", "mask": ts.Getenv("MASK"),
		}})
	case len(args) > 1 && args[0] == "event":
		for _, name := range args[1:] {
			var e map[string]any
			ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &e)) // ids begin with a dollar sign
			w.matrix.add(e)
		}
	case len(args) == 1 && args[0] == "forbids":
		w.matrix.mu.Lock()
		w.matrix.gone = true
		w.matrix.mu.Unlock()
	case len(args) == 4 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		w.gotSent(ts, n, args[2], expand(ts, args[3]), func() []any {
			w.matrix.mu.Lock()
			defer w.matrix.mu.Unlock()
			return append([]any(nil), w.matrix.sent...)
		})
	default:
		ts.Fatalf("usage: matrix listens | event FILE… | forbids | got N PATH VALUE")
	}
}
