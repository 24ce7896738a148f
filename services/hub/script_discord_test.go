package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

const discordToken = "c3RvcnktYm90LWlk.G5toRy.of-a-bot-of-nobody-in-a-story"

// guild is as much of Discord as a story needs: the gateway tells one session,
// and what was said is listed.
type guild struct {
	*httptest.Server
	mu       sync.Mutex
	line     *websocket.Conn
	session  int              // the one that may be resumed
	told     []map[string]any // its events
	said     []map[string]any // all messages, oldest first
	sent     []any
	nonces   map[string]map[string]any
	loses    int  // so many posts are taken and their answers lost
	blocked  bool // the customer has blocked the bot
	revoked  bool
	away     bool // nobody can connect
	expired  bool // addresses of files are no good any more
	lastSent int
}

func (g *guild) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/gateway/" {
		g.gateway(w, r)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	refuse := func(status, code int, text string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":%d,"message":%q}`, code, text)
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v10")
	switch parts := strings.Split(path, "/"); {
	case strings.HasPrefix(r.URL.Path, "/files/"):
		if g.expired && r.URL.RawQuery == "ex=old" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "a picture of the door")
	case g.revoked || r.Header.Get("Authorization") != "Bot "+discordToken:
		refuse(http.StatusUnauthorized, 0, "401: Unauthorized")
	case g.away || !ok:
		w.WriteHeader(http.StatusServiceUnavailable)
	case path == "/users/@me":
		fmt.Fprint(w, `{"id":"900","username":"shop","bot":true}`)
	case path == "/gateway/bot":
		fmt.Fprintf(w, `{"url":"ws%s/gateway/","shards":1,"session_start_limit":{"total":1000,"remaining":999,"reset_after":0,"max_concurrency":1}}`, g.URL[len("http"):])
	case len(parts) == 3 && parts[1] == "channels":
		fmt.Fprintf(w, `{"id":%q,"type":1}`, parts[2])
	case len(parts) == 4 && parts[3] == "typing":
		w.WriteHeader(http.StatusNoContent)
	case len(parts) == 4 && parts[3] == "messages" && r.Method == http.MethodPost:
		g.post(w, r, parts[2], refuse)
	case len(parts) == 5 && parts[3] == "messages":
		for _, m := range g.said {
			if m["id"] == parts[4] {
				_ = json.NewEncoder(w).Encode(g.renewed(m))
				return
			}
		}
		refuse(http.StatusNotFound, 10008, "Unknown Message")
	case len(parts) == 4 && parts[3] == "messages":
		after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
		list := []map[string]any{}
		for i := len(g.said) - 1; i >= 0; i-- { // newest first
			if id, _ := strconv.ParseInt(g.said[i]["id"].(string), 10, 64); g.said[i]["channel_id"] == parts[2] && id > after {
				list = append(list, g.said[i])
			}
		}
		_ = json.NewEncoder(w).Encode(list)
	default:
		refuse(http.StatusNotFound, 0, "404: Not Found")
	}
}

// renewed is a message with addresses of its files that are good.
func (g *guild) renewed(m map[string]any) json.RawMessage {
	b, _ := json.Marshal(m)
	return json.RawMessage(strings.ReplaceAll(string(b), "?ex=old", "?ex=new"))
}

func (g *guild) post(w http.ResponseWriter, r *http.Request, channelID string, refuse func(int, int, string)) {
	if g.blocked {
		refuse(http.StatusForbidden, 50007, "Cannot send messages to this user")
		return
	}
	m := map[string]any{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		_ = r.ParseMultipartForm(1 << 20)
		_ = json.Unmarshal([]byte(r.FormValue("payload_json")), &m)
		if f, h, err := r.FormFile("files[0]"); err == nil {
			b, _ := io.ReadAll(f)
			m["file"] = h.Filename + "=" + string(b)
		}
	} else {
		_ = json.NewDecoder(r.Body).Decode(&m)
	}
	nonce, _ := m["nonce"].(string)
	if g.nonces[nonce] == nil {
		g.lastSent++
		m["id"], m["channel_id"], m["type"], m["timestamp"] = fmt.Sprint(9_000_000_000_000_000_000+g.lastSent), channelID, 0, time.Now().UTC().Format(time.RFC3339Nano)
		m["author"] = map[string]any{"id": "900", "username": "shop", "bot": true}
		g.sent = append(g.sent, m)
		g.nonces[nonce] = m
		g.tell("MESSAGE_CREATE", m)
	}
	if g.loses > 0 {
		g.loses--
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(g.nonces[nonce])
}

func (g *guild) gateway(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	away := g.away
	g.mu.Unlock()
	if away {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"op":10,"d":{"heartbeat_interval":41250}}`))
	for {
		var f struct {
			Op int `json:"op"`
			D  struct {
				Token   string `json:"token"`
				Session string `json:"session_id"`
				Seq     int    `json:"seq"`
			} `json:"d"`
		}
		_, b, err := ws.ReadMessage()
		if err != nil {
			g.mu.Lock()
			if g.line == ws {
				g.line = nil // what is said now is told when the session goes on
			}
			g.mu.Unlock()
			return
		}
		_ = json.Unmarshal(b, &f) // a heartbeat's is a number
		g.mu.Lock()
		switch {
		case f.Op == 1:
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"op":11}`))
		case f.D.Token != discordToken || g.revoked:
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4004, "Authentication failed."))
		case f.Op == 6 && f.D.Session == fmt.Sprint(g.session):
			g.line = ws
			for _, e := range g.told[min(f.D.Seq, len(g.told)):] {
				_ = ws.WriteJSON(e)
			}
			g.tell("RESUMED", map[string]any{})
		case f.Op == 6:
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"op":9,"d":false}`))
		case f.Op == 2:
			g.session++
			g.told, g.line = nil, ws
			g.tell("READY", map[string]any{"v": 10, "session_id": fmt.Sprint(g.session), "resume_gateway_url": "ws" + g.URL[len("http"):] + "/gateway/", "user": map[string]any{"id": "900"}})
		}
		g.mu.Unlock()
	}
}

// tell is called with g.mu held.
func (g *guild) tell(name string, data any) {
	e := map[string]any{"op": 0, "s": len(g.told) + 1, "t": name, "d": data}
	g.told = append(g.told, e)
	if g.line != nil {
		_ = g.line.WriteJSON(e)
	}
}

// hangUp ends the connection; what is said until the next is listed and not told.
func (g *guild) hangUp(code int) {
	if g.line != nil {
		_ = g.line.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
		g.line.Close()
	}
	g.line = nil
	g.session++
}

// cmdDiscord is Discord with the inbox "discord":
//
//	discord listens              before start
//	discord writes FILE…         what customers write to the bot
//	discord misses FILE…         the same while the hub is not connected
//	discord event NAME FILE      any other event of the gateway
//	discord away 0|1             the gateway is gone, and with it the session
//	discord loses N              so many posts are taken, and their answers lost
//	discord blocks 0|1           the customer has blocked the bot
//	discord revokes 0|1          the token is no good
//	discord expires 1            addresses of files that were told are no good any more
//	discord got N PATH VALUE     waits for the Nth message that was sent; VALUE as in got
func cmdDiscord(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) < 1 {
		ts.Fatalf("usage: discord listens | writes|misses FILE… | event NAME FILE | away 0|1 | loses N | blocks 0|1 | revokes 0|1 | expires 0|1 | got N PATH VALUE")
	}
	set := func(change func()) {
		w.guild.mu.Lock()
		defer w.guild.mu.Unlock()
		change()
	}
	on := len(args) == 2 && args[1] == "1"
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.guild = &guild{nonces: map[string]map[string]any{}}
		w.guild.Server = httptest.NewServer(w.guild)
		ts.Defer(func() {
			set(func() { w.guild.hangUp(4000) })
			w.guild.Close()
		})
		w.inboxes = append(w.inboxes, map[string]any{"id": "discord", "channel": "discord", "name": "Shop", "settings": map[string]string{
			"bot_token": discordToken, "api_url": w.guild.URL + "/api/v10",
		}})
	case len(args) > 1 && (args[0] == "writes" || args[0] == "misses"):
		if args[0] == "writes" {
			w.connected(ts)
		}
		for _, name := range args[1:] {
			var m map[string]any
			ts.Check(json.Unmarshal([]byte(strings.ReplaceAll(expand(ts, ts.ReadFile(name)), "DISCORD", w.guild.URL)), &m))
			set(func() {
				w.guild.said = append(w.guild.said, m)
				w.guild.tell("MESSAGE_CREATE", m)
			})
		}
	case len(args) == 3 && args[0] == "event":
		w.connected(ts)
		set(func() { w.guild.tell(args[1], json.RawMessage(expand(ts, ts.ReadFile(args[2])))) })
	case len(args) == 2 && args[0] == "away":
		set(func() {
			if w.guild.away = on; on {
				w.guild.hangUp(4000)
			}
		})
	case len(args) == 2 && args[0] == "loses":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		set(func() { w.guild.loses = n })
	case len(args) == 2 && args[0] == "blocks":
		set(func() { w.guild.blocked = on })
	case len(args) == 2 && args[0] == "expires":
		set(func() { w.guild.expired = on })
	case len(args) == 2 && args[0] == "revokes":
		set(func() {
			if w.guild.revoked = on; on {
				w.guild.hangUp(4004)
			}
		})
	case len(args) == 4 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		w.gotSent(ts, n, args[2], expand(ts, args[3]), func() (sent []any) {
			set(func() { sent = append(sent, w.guild.sent...) })
			return sent
		})
	default:
		cmdDiscord(ts, true, nil)
	}
}

// connected waits until the hub listens.
func (w *world) connected(ts *testscript.TestScript) {
	w.poll(ts, func(context.Context) bool {
		w.guild.mu.Lock()
		defer w.guild.mu.Unlock()
		return w.guild.line != nil
	}, func() { w.fail(ts, "the hub does not connect to the gateway") })
}
