package bench

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

func (g *guild) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v10")
	switch {
	case r.URL.Path == "/gateway":
		g.gateway(w, r)
		return
	case !ok || r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bot "+discordToken:
		g.unknown(w, r)
		return
	}
	g.change(func() { g.requests++ })
	switch part := strings.Split(path, "/"); {
	case path == "/users/@me":
		answerJSON(w, http.StatusOK, map[string]any{"id": "900", "username": "shop", "bot": true})
	case path == "/gateway/bot":
		answerJSON(w, http.StatusOK, map[string]any{
			"url": "ws" + g.URL[len("http"):] + "/gateway", "shards": 1, "session_start_limit": map[string]any{"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1},
		})
	case len(part) == 4 && part[1] == "channels" && part[3] == "messages":
		// The first message of a channel makes the hub ask for what came before: that is nothing.
		var first any
		g.change(func() { first = g.said[part[2]] })
		answerJSON(w, http.StatusOK, []any{first})
	default:
		g.unknown(w, r)
	}
}

func (g *guild) unknown(w http.ResponseWriter, r *http.Request) {
	g.refuse("the hub asks Discord for %s %s, or with another token", r.Method, r.URL.Path)
	answerJSON(w, http.StatusNotFound, map[string]any{"code": 0, "message": "404: Not Found"})
}

// gateway is one connection. There is one session, which begins anew with each
// Identify; heartbeats, which are asked for, acknowledge what was told.
func (g *guild) gateway(w http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	if ws.WriteJSON(map[string]any{"op": 10, "d": map[string]any{"heartbeat_interval": 41250}}) != nil {
		return
	}
	var hello struct {
		Op int `json:"op"`
		D  struct {
			Token   string `json:"token"`
			Intents int    `json:"intents"`
		} `json:"d"`
	}
	for hello.Op != 2 {
		if ws.ReadJSON(&hello) != nil { // a heartbeat may come before
			return
		}
	}
	if hello.D.Token != discordToken || hello.D.Intents != 7<<12 {
		g.refuse("the hub identifies itself with intents %d, or another token", hello.D.Intents)
		return
	}
	g.change(func() {
		g.lines++
		if g.last == 0 {
			g.tell("READY", map[string]any{"v": 10, "session_id": "bench", "resume_gateway_url": "ws" + g.URL[len("http"):] + "/gateway", "user": map[string]any{"id": "900"}})
		}
	})
	defer g.change(func() { g.lines-- })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.heartbeats(ws)
	}()
	defer func() {
		ws.Close()
		<-ended
	}()
	g.speak(ws, ended)
}

// heartbeats reads what the hub says.
func (g *guild) heartbeats(ws *websocket.Conn) {
	for {
		var f struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if ws.ReadJSON(&f) != nil {
			return
		}
		var seq int
		if f.Op == 1 && json.Unmarshal(f.D, &seq) == nil {
			g.change(func() { g.acknowledge(seq) })
		}
	}
}

// speak tells what happens, and asks for a heartbeat as long as something told is not acknowledged.
func (g *guild) speak(ws *websocket.Conn, ended <-chan struct{}) {
	ask := time.NewTicker(20 * time.Millisecond)
	defer ask.Stop()
	told := 0
	for {
		g.mu.Lock()
		news, owing, changed := slices.Clone(g.events[told:]), g.seen < g.last, g.changed
		g.mu.Unlock()
		for _, e := range news {
			if ws.WriteJSON(e) != nil {
				return
			}
		}
		if told += len(news); len(news) > 0 {
			continue
		}
		var wait <-chan time.Time
		if owing {
			wait, changed = ask.C, nil
		}
		select {
		case <-changed:
		case <-wait:
			if ws.WriteJSON(map[string]any{"op": 1}) != nil {
				return
			}
		case <-ended:
			return
		}
	}
}
