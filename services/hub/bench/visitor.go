package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// visitor is one widget socket: services/chat/protocol.md.
type visitor struct {
	index int
	ws    *websocket.Conn
	next  int         // number of the next message
	acked chan string // client ids
	shown chan shown  // by the agent's socket
}

type shown struct {
	number int
	at     time.Time
}

// filler makes a message as long as people write in chats.
const filler = "Hello, I ordered the blue one last week and the parcel has still not arrived. Could you look where it is, please?"

func openVisitor(ctx context.Context, hub *child, index int) (*visitor, error) {
	d := websocket.Dialer{HandshakeTimeout: patience}
	ws, _, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(hub.url, "http")+"/chat/bench/ws", http.Header{"Origin": {hub.url}})
	if err != nil {
		return nil, fmt.Errorf("open a visitor's socket: %w", err)
	}
	v := &visitor{index: index, ws: ws, acked: make(chan string, 4), shown: make(chan shown, 4)}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	if err := ws.WriteJSON(map[string]string{"type": "hello"}); err != nil {
		ws.Close()
		return nil, fmt.Errorf("greet the hub: %w", err)
	}
	for {
		var f struct{ Type, Code string }
		if err := ws.ReadJSON(&f); err != nil {
			ws.Close()
			return nil, fmt.Errorf("greet the hub: %w", err)
		}
		switch f.Type {
		case "welcome":
			return v, ws.SetReadDeadline(time.Time{})
		case "error", "bye":
			ws.Close()
			return nil, fmt.Errorf("greet the hub: %s %s", f.Type, f.Code)
		}
	}
}

// read takes acknowledgements until the socket ends.
func (v *visitor) read() error {
	for {
		_, b, err := v.ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("visitor %d: %w", v.index, err)
		}
		var f struct {
			Type     string
			Code     string
			ClientID string `json:"client_id"`
		}
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("visitor %d: %w", v.index, err)
		}
		switch f.Type {
		case "ack":
			v.acked <- f.ClientID
		case "error", "bye":
			return fmt.Errorf("visitor %d: the hub answered %s %s", v.index, f.Type, f.Code)
		}
	}
}

// say sends the next message and waits until it is acknowledged and the agent
// has seen it, once and as the next one. The time is from the sending until the
// agent's socket had it.
func (v *visitor) say(ctx context.Context) (time.Duration, error) {
	id := uuid.NewString()
	frame := map[string]string{"type": "message", "client_id": id, "text": text(v.index, v.next)}
	sent := time.Now()
	if err := v.ws.WriteJSON(frame); err != nil {
		return 0, fmt.Errorf("visitor %d: %w", v.index, err)
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	var at time.Time
	for acked := false; !acked || at.IsZero(); {
		select {
		case got := <-v.acked:
			if got != id || acked {
				return 0, fmt.Errorf("visitor %d: acknowledgement of %s, want %s once", v.index, got, id)
			}
			acked = true
		case s := <-v.shown:
			if s.number != v.next || !at.IsZero() {
				return 0, fmt.Errorf("visitor %d: the agent saw message %d, want %d once", v.index, s.number, v.next)
			}
			at = s.at
		case <-t.C:
			return 0, fmt.Errorf("visitor %d: message %d was not seen within %s (acknowledged: %t)", v.index, v.next, patience, acked)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	v.next++
	return at.Sub(sent), nil
}

func text(visitor, number int) string {
	return "#" + strconv.Itoa(visitor) + "." + strconv.Itoa(number) + " " + filler
}

// parseText finds whose message it is.
func parseText(s string) (visitor, number int, ok bool) {
	s, ok = strings.CutPrefix(s, "#")
	if !ok {
		return 0, 0, false
	}
	s, _, _ = strings.Cut(s, " ")
	a, b, ok := strings.Cut(s, ".")
	visitor, err1 := strconv.Atoi(a)
	number, err2 := strconv.Atoi(b)
	return visitor, number, ok && err1 == nil && err2 == nil
}
