package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// agent is a console's socket: proto/weftline/realtime/v1/frame.proto.
type agent struct{ ws *websocket.Conn }

// openAgent logs in as a browser does.
func openAgent(ctx context.Context, hub *child) (*agent, error) {
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	post := func(path string, form url.Values, cookies []*http.Cookie) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, hub.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", hub.url)
		for _, c := range cookies {
			req.AddCookie(c)
		}
		return browser.Do(req)
	}
	res, err := post("/login", url.Values{"email": {ownerEmail}, "password": {ownerPassword}}, nil)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("log in: %s", res.Status)
	}
	res, err = post("/api/ticket", nil, res.Cookies())
	if err != nil {
		return nil, fmt.Errorf("get a ticket: %w", err)
	}
	var ticket struct{ Ticket string }
	err = json.NewDecoder(res.Body).Decode(&ticket)
	res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get a ticket: %s: %w", res.Status, err)
	}
	d := websocket.Dialer{HandshakeTimeout: patience}
	ws, _, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(hub.url, "http")+"/ws", http.Header{"Origin": {hub.url}})
	if err != nil {
		return nil, fmt.Errorf("open the agent's socket: %w", err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	var first struct{ Welcome json.RawMessage }
	if err = ws.WriteJSON(map[string]any{"hello": map[string]string{"ticket": ticket.Ticket}}); err == nil {
		err = ws.ReadJSON(&first)
	}
	if err == nil && first.Welcome == nil {
		err = fmt.Errorf("no welcome")
	}
	if err != nil {
		ws.Close()
		return nil, fmt.Errorf("open the agent's socket: %w", err)
	}
	return &agent{ws: ws}, ws.SetReadDeadline(time.Time{})
}

// agentFrame is what the bench needs of a frame.
type agentFrame struct {
	Batch struct {
		Events []struct {
			Entry struct {
				Message struct {
					Direction string
					Text      string
				}
			}
		}
	}
	Reset json.RawMessage
	Bye   json.RawMessage
}

// read tells each visitor what the agent was shown, until the socket ends.
func (a *agent) read(visitors []*visitor) error {
	for {
		_, b, err := a.ws.ReadMessage()
		at := time.Now()
		if err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		var f agentFrame
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		if f.Reset != nil || f.Bye != nil {
			return fmt.Errorf("agent: the hub sent %.200s", b)
		}
		for _, e := range f.Batch.Events {
			m := e.Entry.Message
			v, n, ok := parseText(m.Text)
			if !ok || v < 0 || v >= len(visitors) {
				continue
			}
			select {
			case visitors[v].shown <- shown{number: n, at: at}:
			default:
				return fmt.Errorf("agent: visitor %d's message %d was shown too often", v, n)
			}
		}
	}
}
