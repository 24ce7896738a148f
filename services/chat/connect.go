package chat

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// writeBuffers are lent to sockets while they write.
var writeBuffers sync.Pool

// serveSocket is GET /chat/{inbox}/ws.
func (a *Adapter) serveSocket(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	origin := r.Header.Get("Origin")
	if !a.originAllowed(c, origin, r.Host) {
		http.Error(w, "origin is not allowed", http.StatusForbidden)
		return
	}
	ip := network(a.d.ClientIP(r))
	if wait, ok := a.limits.take("connection", c.ID+"/"+ip, c.Connections, time.Minute); !ok {
		a.tooMany(w, "connection", wait)
		return
	}
	if !a.enter() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	up := websocket.Upgrader{
		HandshakeTimeout: a.timing.Hello,
		// A visitor says little and hears little: without these each open widget
		// would keep two buffers of 4 KiB.
		ReadBufferSize: 1 << 10, WriteBufferPool: &writeBuffers,
		CheckOrigin: func(*http.Request) bool { return true }, // done above, with a plain answer
	}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		a.sessions.Done()
		return // Upgrade has answered
	}
	conn.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancelCause(telemetry.Detach(context.WithoutCancel(r.Context())))
	s := &session{
		a: a, inbox: c.ID, origin: origin, host: r.Host, ip: ip,
		sock: conn, queue: newQueue(), done: ctx.Done(), cancel: cancel,
		sync: make(chan struct{}, 1), receipts: make(chan struct{}, 1),
	}
	conn.SetPongHandler(func(string) error { s.alive(); return nil })
	// The request and the stack that served it go: a widget may be open for hours.
	go a.serve(ctx, s, c)
}

// serve runs a session. A panic ends this session alone.
func (a *Adapter) serve(ctx context.Context, s *session, c *config) {
	defer a.sessions.Done()
	a.metrics.open.Inc()
	defer a.metrics.open.Dec()
	defer s.sock.Close()
	defer func() {
		if p := recover(); p != nil {
			s.end(0, "broken")
			a.rooms.leave(s)
			a.log.Error("a chat session panicked", "inbox", s.inbox, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.run(ctx, c)
}

// enter counts a session before it may begin; false while draining.
func (a *Adapter) enter() bool {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	if a.rooms.closed {
		return false
	}
	a.sessions.Add(1)
	return true
}

// identify decides who speaks, by the first frame. It answers errors itself.
func (s *session) identify(ctx context.Context, c *config, f clientFrame) bool {
	refuse := func(code, reason string) bool {
		s.push(errorFrame{Type: "error", Code: code})
		s.end(closeAuth, reason)
		return false
	}
	now := s.a.d.Now()
	if f.JWT != "" {
		if c.Identity == identityAnonymous {
			return refuse("login_refused", "this inbox takes no logins")
		}
		l, err := verifyLogin(c, f.JWT, now)
		if err == errLoginExpired {
			return refuse("login_expired", "login expired")
		}
		if err != nil {
			return refuse("login_invalid", "login not valid")
		}
		s.login = l
	} else if c.Identity == identityRequired {
		return refuse("login_required", "login required")
	}
	if f.Token != "" {
		v, ok := s.a.openVisitor(c.ID, f.Token)
		if !ok {
			return refuse("token_invalid", "token not valid")
		}
		s.visitor = v
	}
	if !s.bindVisitor(ctx, c, now) {
		return false
	}
	s.address = s.visitor
	if s.login != nil {
		s.address = loginAddress(s.login.Sub)
	}
	s.handleID = handleid.Of(s.a.d.Keys, handle(c.ID, s.address))
	s.who = s.a.d.Keys.Hash(purposeWho, s.handleID)
	return true
}

// bindVisitor gives the browser a visitor id, or a new one when its old one
// belongs to another login, and tells agents of a login once.
func (s *session) bindVisitor(ctx context.Context, c *config, now time.Time) bool {
	fresh := s.visitor == ""
	if !fresh && s.login != nil {
		unlock := s.a.locks.lock(c.ID + "/" + s.visitor)
		defer unlock()
		var v visitorState
		if _, err := s.a.load(ctx, colVisitor, c.ID+"/"+s.visitor, &v); err != nil {
			return s.unavailable(err)
		}
		switch {
		case v.Sub != "" && v.Sub != s.login.Sub:
			fresh = true
		case v.Sub == "" || v.Spoke && !v.Told:
			v.Sub = s.login.Sub
			if v.Spoke && !v.Told {
				if err := s.tellLogin(ctx, c, now); err != nil {
					return s.unavailable(err)
				}
				v.Told = true
			}
			if err := s.a.store(ctx, colVisitor, c.ID+"/"+s.visitor, v); err != nil {
				return s.unavailable(err)
			}
		}
	}
	if !fresh {
		return true
	}
	if wait, ok := s.a.limits.take("visitor", c.ID+"/"+s.ip, c.Visitors, time.Hour); !ok {
		s.a.metrics.limited.WithLabelValues("visitor").Inc()
		s.push(errorFrame{Type: "error", Code: "rate", RetryAfterMS: wait.Milliseconds() + 1})
		s.end(closeAuth, "too many new visitors")
		return false
	}
	s.visitor = newVisitor()
	if s.login != nil {
		if err := s.a.store(ctx, colVisitor, c.ID+"/"+s.visitor, visitorState{Sub: s.login.Sub}); err != nil {
			return s.unavailable(err)
		}
	}
	return true
}

// tellLogin leaves a hint in the anonymous conversation. The hint is a claim.
func (s *session) tellLogin(ctx context.Context, c *config, now time.Time) error {
	raw, err := input{
		V: 1, Kind: "login", Visitor: s.visitor, Address: s.visitor, ClientID: "login", At: now,
		Login: &inputLogin{Kid: s.login.Kid, Sub: s.login.Sub},
	}.raw(c.ID)
	if err != nil {
		return err
	}
	return s.a.d.Intake.Accept(ctx, raw)
}

func (s *session) unavailable(err error) bool {
	s.a.log.Error("chat session cannot begin", "inbox", s.inbox, "error", err)
	s.push(errorFrame{Type: "error", Code: "unavailable"})
	s.end(closeDraining, "unavailable")
	return false
}
