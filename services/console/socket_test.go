package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/weftline/weftline/services/internal/peer"
)

func (b *bundle) ticket(t *testing.T, c *http.Client) string {
	t.Helper()
	res, err := c.Post(b.srv.URL+"/api/ticket", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct{ Ticket string }
	_ = json.NewDecoder(res.Body).Decode(&out)
	return out.Ticket
}

func (b *bundle) dial(t *testing.T, origin string) (*websocket.Conn, error) {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(b.srv.URL, "http")+"/ws", http.Header{"Origin": {origin}})
	if err == nil {
		t.Cleanup(func() { ws.Close() })
	}
	return ws, err
}

// next reads frames until one has the wanted field.
func next(t *testing.T, ws *websocket.Conn, field string) map[string]any {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %s: %v", field, err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if v, ok := m[field].(map[string]any); ok {
			return v
		}
	}
}

func (b *bundle) hello(t *testing.T, c *http.Client, cursor string) *websocket.Conn {
	t.Helper()
	ws, err := b.dial(t, b.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	send(t, ws, fmt.Sprintf(`{"hello":{"ticket":%q,"cursor":%q}}`, b.ticket(t, c), cursor))
	return ws
}

func send(t *testing.T, ws *websocket.Conn, s string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

func closeCode(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			if ce, ok := err.(*websocket.CloseError); ok {
				return ce.Code
			}
			t.Fatalf("no close code: %v", err)
		}
	}
}

func TestSocketResumesAfterItsCursor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for range 450 {
		b.feed.add()
	}
	ws := b.hello(t, b.http, "40")
	if w := next(t, ws, "welcome"); w["head"] != "450" || w["build"] != "b1" {
		t.Fatalf("welcome: %v", w)
	}
	want := 41
	for want <= 451 {
		events := next(t, ws, "batch")["events"].([]any)
		if len(events) > 200 {
			t.Fatalf("a batch of %d", len(events))
		}
		for _, e := range events {
			if got := e.(map[string]any)["cursor"]; got != fmt.Sprint(want) {
				t.Fatalf("cursor %v, want %d", got, want)
			}
			want++
		}
		if want == 451 {
			b.feed.add()
		}
	}
}

func TestSocketResetsOnACursorItCannotResume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	b.feed.add()
	ws := b.hello(t, b.http, "999")
	if r := next(t, ws, "reset"); r["head"] != "1" {
		t.Fatalf("reset: %v", r)
	}
	b.feed.add()
	if got := next(t, ws, "batch")["events"].([]any)[0].(map[string]any)["cursor"]; got != "2" {
		t.Fatalf("after reset: %v", got)
	}
}

func TestSocketRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	for _, origin := range []string{"https://evil.example", b.srv.URL + ".evil", "null", ""} {
		if _, err := b.dial(t, origin); err == nil {
			t.Errorf("origin %q got a socket", origin)
		}
	}
	for name, tc := range map[string]struct {
		frame string
		want  int
	}{
		"garbage":       {`{"hello`, 4400},
		"no hello":      {`{"pong":{}}`, 4400},
		"no ticket":     {`{"hello":{}}`, 4001},
		"forged ticket": {`{"hello":{"ticket":"abc"}}`, 4001},
		"huge":          {`{"hello":{"ticket":"` + strings.Repeat("x", 70<<10) + `"}}`, 1009},
	} {
		ws, err := b.dial(t, b.srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		send(t, ws, tc.frame)
		if got := closeCode(t, ws); got != tc.want && !(tc.want == 1009 && got == 4400) {
			t.Errorf("%s: closed with %d, want %d", name, got, tc.want)
		}
	}
	used := b.ticket(t, b.http)
	first, _ := b.dial(t, b.srv.URL)
	send(t, first, `{"hello":{"ticket":"`+used+`"}}`)
	next(t, first, "welcome")
	again, _ := b.dial(t, b.srv.URL)
	send(t, again, `{"hello":{"ticket":"`+used+`"}}`)
	if got := closeCode(t, again); got != 4001 {
		t.Errorf("a ticket was good twice: %d", got)
	}
	send(t, first, `garbage`)
	if got := closeCode(t, first); got != 4400 {
		t.Errorf("garbage later: %d", got)
	}
}

func TestSocketSlowReaderIsClosedToResume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	b.feed.refuse = peer.ErrSlow
	ws := b.hello(t, b.http, "")
	if got := closeCode(t, ws); got != 4008 {
		t.Fatalf("closed with %d", got)
	}
}

func TestWhoViewsAndWhoTypesAndLogout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	kim := browser()
	b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Kim","email":"kim@example.org","role":"ROLE_AGENT"},"password":"kims password"}`)
	b.form(t, kim, "/login", map[string][]string{"email": {"kim@example.org"}, "password": {"kims password"}})
	olga, kims := b.hello(t, b.http, ""), b.hello(t, kim, "")
	next(t, olga, "welcome")
	next(t, kims, "welcome")
	send(t, olga, `{"watch":{"conversationId":"c1"}}`)
	send(t, kims, `{"watch":{"conversationId":"c1","typing":true}}`)
	seen := func(want string) {
		t.Helper()
		for {
			p := next(t, olga, "presence")
			if strings.Contains(fmt.Sprint(p["viewers"]), want) {
				return
			}
		}
	}
	seen("typing:true")
	b.form(t, kim, "/logout", nil)
	if got := closeCode(t, kims); got != 4001 {
		t.Fatalf("after logout: %d", got)
	}
	for {
		if p := next(t, olga, "presence"); !strings.Contains(fmt.Sprint(p["viewers"]), "Kim") {
			return
		}
	}
}

// TestTwoTabsAreTwo: who closes one of them looks on in the other.
func TestTwoTabsAreTwo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	watcher, tab, typist := b.hello(t, b.http, ""), b.hello(t, b.http, ""), b.hello(t, b.http, "")
	for _, ws := range []*websocket.Conn{watcher, tab, typist} {
		next(t, ws, "welcome")
	}
	until := func(is func(viewers []any) bool) []any {
		t.Helper()
		for {
			p := next(t, watcher, "presence")
			viewers, _ := p["viewers"].([]any)
			if p["conversationId"] == "c1" && is(viewers) {
				return viewers
			}
		}
	}
	typing := func(viewers []any) bool { return strings.Contains(fmt.Sprint(viewers), "typing:true") }
	send(t, tab, `{"watch":{"conversationId":"c1"}}`)
	until(func(v []any) bool { return len(v) > 0 })
	send(t, typist, `{"watch":{"conversationId":"c1","typing":true}}`)
	if v := until(typing); len(v) != 1 {
		t.Errorf("one agent with two tabs is shown as %v", v)
	}
	typist.Close()
	if v := until(func(v []any) bool { return !typing(v) }); len(v) != 1 {
		t.Errorf("one of two tabs was closed, and who looks is %v", v)
	}
	tab.Close()
	until(func(v []any) bool { return len(v) == 0 })
}

// TestOnlyAnIDIsWatched: anything else is nothing to look at, and takes no marks away.
func TestOnlyAnIDIsWatched(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"*", "a.b", "a b", strings.Repeat("x", 65)} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.owner(t)
			ws, other := b.hello(t, b.http, ""), b.hello(t, b.http, "")
			next(t, ws, "welcome")
			next(t, other, "welcome")
			shown := map[any]bool{}
			until := func(conversation, what string) {
				t.Helper()
				for {
					p := next(t, ws, "presence")
					shown[p["conversationId"]] = shown[p["conversationId"]] || p["viewers"] != nil
					if p["conversationId"] == conversation && strings.Contains(fmt.Sprint(p["viewers"]), what) {
						return
					}
				}
			}
			send(t, ws, fmt.Sprintf(`{"watch":{"conversationId":%q}}`, id))
			send(t, ws, `{"watch":{"conversationId":"c1"}}`)
			until("c1", "Olga")
			send(t, other, `{"watch":{"conversationId":"c2"}}`)
			send(t, other, `{"watch":{"conversationId":"c1","typing":true}}`)
			until("c1", "typing:true")
			if shown[id] || !shown["c2"] {
				t.Errorf("after %q was watched, marks are shown for %v, want c1 and c2", id, shown)
			}
		})
	}
}
