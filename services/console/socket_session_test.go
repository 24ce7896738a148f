package console_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/weftline/weftline/services/console"
	"github.com/weftline/weftline/services/internal/docstore"
)

// greetWith opens a socket with a ticket that was taken before.
func (b *bundle) greetWith(t *testing.T, ticket string) *websocket.Conn {
	t.Helper()
	ws, err := b.dial(t, b.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	send(t, ws, fmt.Sprintf(`{"hello":{"ticket":%q}}`, ticket))
	return ws
}

// refused: the first that comes is the end, as for somebody who is logged out.
func refused(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	_, b, err := ws.ReadMessage()
	if !websocket.IsCloseError(err, 4001) {
		t.Fatalf("got %s %v, want to be closed with 4001", b, err)
	}
}

// newPassword is set by the owner for himself, which ends all his sessions.
func (b *bundle) newPassword(t *testing.T, c *http.Client) {
	t.Helper()
	_, m := b.call(t, c, "", rpcPath+"GetSession", "{}")
	me, _ := m["agent"].(map[string]any)["id"].(string)
	code, m := b.call(t, c, "", rpcPath+"SaveAgent", `{"agent":{"id":"`+me+`","name":"Olga","email":"olga@example.org","role":"ROLE_OWNER"},"password":"another horse"}`)
	if code != 200 {
		t.Errorf("new password: %d %v", code, m)
	}
}

func TestATicketIsNoBetterThanItsSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *bundle){
		"new password": func(t *testing.T, b *bundle) { b.newPassword(t, b.http) },
		"logout":       func(t *testing.T, b *bundle) { b.form(t, b.http, "/logout", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.owner(t)
			stolen := b.ticket(t, b.http)
			end(t, b)
			refused(t, b.greetWith(t, stolen))
		})
	}
}

// meddler does something right after the agent was read next.
type meddler struct {
	docstore.Store
	mu   sync.Mutex
	then func()
}

func (m *meddler) arm(then func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.then = then
}

func (m *meddler) Get(ctx context.Context, collection, id string) (docstore.Doc, error) {
	d, err := m.Store.Get(ctx, collection, id)
	if collection == "agents" {
		m.mu.Lock()
		then := m.then
		m.then = nil
		m.mu.Unlock()
		if then != nil {
			then()
		}
	}
	return d, err
}

// TestASessionThatEndsDuringTheGreeting is over for the socket too, which those that are closed do not have among them yet.
func TestASessionThatEndsDuringTheGreeting(t *testing.T) {
	t.Parallel()
	m := &meddler{}
	b := setup(t, func(d *console.Deps) { m.Store, d.State = d.State, m })
	b.owner(t)
	ticket := b.ticket(t, b.http)
	m.arm(func() { b.newPassword(t, b.http) })
	refused(t, b.greetWith(t, ticket))
}

// TestAnOpenSocketEndsWithItsSession also where another process ended it, or its time did.
func TestAnOpenSocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	var state docstore.Store
	var later atomic.Int64
	start := time.Now()
	b := setup(t, func(d *console.Deps) {
		state = d.State
		d.Now = func() time.Time { return start.Add(time.Duration(later.Load())) }
	})
	b.c.RecheckEvery(5 * time.Millisecond)
	b.owner(t)
	open := b.hello(t, b.http, "")
	next(t, open, "welcome")
	var sessions []docstore.Op
	if err := state.Scan(t.Context(), "sessions", func(d docstore.Doc) error {
		sessions = append(sessions, docstore.Op{Collection: "sessions", Doc: docstore.Doc{ID: d.ID}, Delete: true})
		return nil
	}); err != nil || len(sessions) != 1 {
		t.Fatalf("%d sessions, %v", len(sessions), err)
	}
	if err := state.Apply(t.Context(), docstore.Batch{Ops: sessions}); err != nil {
		t.Fatal(err)
	}
	if got := closeCode(t, open); got != 4001 {
		t.Errorf("its session was ended elsewhere: closed with %d", got)
	}

	b.owner(t)
	old := b.hello(t, b.http, "")
	next(t, old, "welcome")
	later.Store(int64(console.SessionAge))
	if got := closeCode(t, old); got != 4001 {
		t.Errorf("its session expired: closed with %d", got)
	}
}
