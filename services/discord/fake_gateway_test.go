package discord_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// session is one of a bot's with the gateway; it outlives its connections.
type session struct {
	id, bot string
	events  []map[string]any
	ws      *websocket.Conn // nil: nobody listens
	acked   int64           // what its last heartbeat said
	owed    bool            // a heartbeat was asked for and has not come
	begun   bool            // by Identify, and not over
	resumed int
}

func (f *fake) ws(path string) string { return "ws" + f.URL[len("http"):] + path }

// gateway is one connection ("Connection Lifecycle").
func (f *fake) gateway(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); q.Get("v") != "10" || q.Get("encoding") != "json" {
		f.t.Errorf("connected with %s", r.URL.RawQuery)
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	f.mu.Lock()
	err = ws.WriteJSON(map[string]any{"op": 10, "s": nil, "t": nil, "d": map[string]any{"heartbeat_interval": f.beat}})
	f.mu.Unlock()
	if err != nil {
		return
	}
	var s *session
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if s != nil && s.ws == ws {
			s.ws = nil
		}
	}()
	for {
		var said struct {
			Op   int             `json:"op"`
			Data json.RawMessage `json:"d"`
		}
		if ws.ReadJSON(&said) != nil {
			return
		}
		f.mu.Lock()
		switch said.Op {
		case 1:
			if s != nil {
				_ = json.Unmarshal(said.Data, &s.acked)
				s.owed = false
			}
			if !f.silent {
				ws.WriteJSON(map[string]any{"op": 11})
			}
		case 2:
			s = f.identify(ws, said.Data)
		case 6:
			s = f.resume(ws, said.Data)
		case 3: // a presence, which clients say
		default:
			hang(ws, 4001)
		}
		f.mu.Unlock()
	}
}

func hang(ws *websocket.Conn, code int) {
	ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	ws.Close()
}

// identify begins a session ("Identify"); f.mu is held.
func (f *fake) identify(ws *websocket.Conn, data []byte) *session {
	var d struct {
		Token      string         `json:"token"`
		Intents    int            `json:"intents"`
		Properties map[string]any `json:"properties"`
	}
	const direct, privileged = 1<<12 | 1<<13 | 1<<14, 1<<1 | 1<<8 | 1<<15
	json.Unmarshal(data, &d)
	me := f.bots[d.Token]
	switch {
	case f.closing != 0:
		hang(ws, f.closing)
		return nil
	case me == nil || f.revoked:
		hang(ws, 4004)
		return nil
	case d.Intents&privileged != 0:
		hang(ws, 4014)
		return nil
	case d.Intents != direct || d.Properties["os"] == nil:
		f.t.Errorf("identified with %s", data)
	}
	f.starts--
	s := &session{id: fmt.Sprintf("session%d", len(f.sessions)+1), bot: me["id"].(string), ws: ws, begun: true}
	f.sessions = append(f.sessions, s)
	f.send(s, "READY", map[string]any{
		"v": 10, "user": me, "guilds": []any{}, "private_channels": []any{}, "session_id": s.id, "resume_gateway_url": f.ws("/gateway-resume"), "session_type": "normal",
		"application": map[string]any{"id": me["id"], "flags": 0},
	})
	return s
}

// resume replays what was missed ("Resume"); f.mu is held.
func (f *fake) resume(ws *websocket.Conn, data []byte) *session {
	var d struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	json.Unmarshal(data, &d)
	if f.bots[d.Token] == nil || f.revoked {
		hang(ws, 4004)
		return nil
	}
	for _, s := range f.sessions {
		if s.id != d.Session || !s.begun {
			continue
		}
		if d.Seq > len(s.events) {
			hang(ws, 4007)
			return nil
		}
		s.ws, s.owed = ws, false
		s.resumed++
		for _, e := range s.events[d.Seq:] {
			ws.WriteJSON(e)
		}
		f.send(s, "RESUMED", map[string]any{})
		return s
	}
	ws.WriteJSON(map[string]any{"op": 9, "d": false})
	return nil
}

// send tells a session an event; f.mu is held.
func (f *fake) send(s *session, name string, data any) (seq int64) {
	b, _ := json.Marshal(data)
	e := map[string]any{"op": 0, "s": len(s.events) + 1, "t": name, "d": json.RawMessage(b)}
	s.events = append(s.events, e)
	if s.ws != nil {
		s.ws.WriteJSON(e)
	}
	return int64(len(s.events))
}

// dispatch tells a bot's sessions an event; f.mu is held. It gives its place in the last of them.
func (f *fake) dispatch(bot, name string, data any) (in *session, seq int64) {
	if f.offline {
		return nil, 0
	}
	if m, ok := data.(map[string]any); ok && name == "MESSAGE_CREATE" && f.places[m["channel_id"].(string)].kind == 1 { // of groups the adapter has to ask
		m = maps.Clone(m)
		m["channel_type"], data = 1, m
	}
	for _, s := range f.sessions {
		if s.bot == bot && s.begun {
			in, seq = s, f.send(s, name, data)
		}
	}
	return in, seq
}

// tell is an event for the shop that no message belongs to.
func (f *fake) tell(name string, data any) (in *session, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dispatch(shop, name, data)
}

// write lets Ada write a message to the shop, once for each name, and tells of it.
func (f *fake) write(name, text string, at time.Time, more ...func(m map[string]any)) (in *session, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dispatch(shop, "MESSAGE_CREATE", f.written(name, adaDM, text, at, more...))
}

// written is a message in its channel; f.mu is held.
func (f *fake) written(name, channelID, text string, at time.Time, more ...func(m map[string]any)) map[string]any {
	for _, m := range f.said[channelID] {
		if m["id"] == f.ids[name] {
			return m
		}
	}
	m := f.message(channelID, person(f.places[channelID].with, "ada", "Ada Lovelace", false), text, at)
	f.ids[name] = m["id"].(string)
	for _, change := range more {
		change(m)
	}
	f.said[channelID] = append(f.said[channelID], m)
	return m
}

func (f *fake) id(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids[name]
}

// confirmed waits until a heartbeat says that an event was taken in, and asks for one ("Heartbeat Requests").
func (f *fake) confirmed(ctx context.Context, s *session, seq int64) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		f.mu.Lock()
		ok := s != nil && s.acked >= seq
		if s != nil && !ok && s.ws != nil && !s.owed {
			s.owed = true
			s.ws.WriteJSON(map[string]any{"op": 1, "d": nil})
		}
		f.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// hangUp ends a bot's connections with a code; forget: its sessions, too.
func (f *fake) hangUp(bot string, code int, forget bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.bot != bot {
			continue
		}
		if s.ws != nil {
			hang(s.ws, code)
			s.ws = nil
		}
		s.begun = s.begun && !forget
	}
}

// listening says how many sessions of a bot are connected.
func (f *fake) listening(bot string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.bot == bot && s.ws != nil {
			n++
		}
	}
	return n
}

// current is the shop's session.
func (f *fake) current() (id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.bot == shop && s.begun {
			id = s.id
		}
	}
	return id
}

func itoa(n int64) string { return fmt.Sprint(n) }
