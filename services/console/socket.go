package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"
	"github.com/weftline/weftline/pkg/subject"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/hangup"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/internal/telemetry"
	"google.golang.org/protobuf/encoding/protojson"
)

// Close codes of the agents' websocket.
const (
	closeAuth      = 4001
	closeSlow      = 4008
	closeHeartbeat = 4009
	closeDraining  = 4010
	closeGarbage   = 4400
)

const (
	heartbeat     = 20 * time.Second
	readDeadline  = 50 * time.Second
	writeDeadline = 10 * time.Second
	helloDeadline = 10 * time.Second
	readLimit     = 64 << 10
	queueLength   = 256
	recheckEvery  = time.Minute // what ends a session in another process ends its sockets within this
	batchMax      = 200
)

// ticket hands out a one-time key for the websocket, which cannot carry headers.
func (c *Console) ticket(w http.ResponseWriter, r *http.Request) {
	_, byCookie, ok := c.Authenticate(r)
	ck, err := r.Cookie(c.cookieName())
	if !ok || !byCookie || err != nil {
		http.Error(w, "log in", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"ticket": c.tickets.issue(digest(ck.Value))})
}

// sameOrigin compares exactly: a page of another site never gets a socket.
func (c *Console) sameOrigin(r *http.Request) bool {
	o := r.Header.Get("Origin")
	if o == c.cfg.PublicURL {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && o != "" && u.Host == r.Host && (u.Scheme == "http") == (r.TLS == nil)
}

// socketConn is one open websocket: one reader, one writer, a bounded queue between.
type socketConn struct {
	id      string // of this connection, in Welcome and for those who see who looks
	ws      *websocket.Conn
	session string // digest of the login it lives by
	agent   agentDoc
	queue   chan *realtimev1.ServerFrame
	stop    context.CancelCauseFunc
}

type closeError struct {
	code   int
	reason string
}

func (e *closeError) Error() string { return e.reason }

// offer queues an ephemeral frame, or drops it when the reader lags.
func (s *socketConn) offer(f *realtimev1.ServerFrame) {
	select {
	case s.queue <- f:
	default:
	}
}

func (c *Console) socket(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: c.sameOrigin, HandshakeTimeout: 10 * time.Second}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer ws.Close()
	ws.SetReadLimit(readLimit)
	// The request's context ends with the handler; what the socket does ends with it.
	ctx, cancel := context.WithCancelCause(telemetry.Detach(context.WithoutCancel(r.Context())))
	defer cancel(nil)

	hello, session, agent, err := c.greet(ctx, ws)
	if err != nil {
		c.bye(ws, err)
		return
	}
	s := &socketConn{id: ulid.Make().String(), ws: ws, session: session, agent: agent, queue: make(chan *realtimev1.ServerFrame, queueLength), stop: cancel}
	c.sockets.add(s)
	c.metrics.sockets.Inc()
	defer c.metrics.sockets.Dec()
	defer c.sockets.remove(s)
	// A session that ended since the greeting looked found this socket not yet among those to close.
	if _, err := c.admit(ctx, session); err != nil {
		s.stop(err) // unless it was closed or drained already: then with that cause
		c.bye(ws, context.Cause(ctx))
		return
	}

	head, err := c.deps.Feed.Head(ctx)
	if err != nil {
		c.bye(ws, &closeError{closeDraining, "not ready"})
		return
	}
	s.queue <- &realtimev1.ServerFrame{Frame: &realtimev1.ServerFrame_Welcome{Welcome: &realtimev1.Welcome{
		ConnectionId: s.id, Head: head, HeartbeatSeconds: int32(heartbeat / time.Second), Build: c.cfg.Build,
	}}}
	c.presence.watch(s, everything, "")
	defer c.presence.unwatch(s, everything)

	var wg sync.WaitGroup
	wg.Go(func() { c.readPump(ctx, s) })
	wg.Go(func() { c.writePump(ctx, s) })
	wg.Go(func() { c.events(ctx, s, hello.GetCursor(), head) })
	<-ctx.Done()
	c.bye(ws, context.Cause(ctx))
	ws.Close()
	wg.Wait()
}

// greet reads the first frame and redeems its ticket.
func (c *Console) greet(ctx context.Context, ws *websocket.Conn) (hello *realtimev1.Hello, session string, agent agentDoc, err error) {
	_ = ws.SetReadDeadline(time.Now().Add(helloDeadline))
	f, err := readFrame(ws)
	if err != nil {
		return nil, "", agentDoc{}, err
	}
	hello = f.GetHello()
	if hello == nil {
		return nil, "", agentDoc{}, &closeError{closeGarbage, "the first frame must be hello"}
	}
	session, err = c.tickets.redeem(hello.GetTicket())
	if err != nil {
		c.metrics.authFailures.WithLabelValues("ticket").Inc()
		return nil, "", agentDoc{}, &closeError{closeAuth, err.Error()}
	}
	agent, err = c.admit(ctx, session)
	return hello, session, agent, err
}

func readFrame(ws *websocket.Conn) (*realtimev1.ClientFrame, error) {
	kind, data, err := ws.ReadMessage()
	if err != nil {
		var ce *websocket.CloseError
		if errors.As(err, &ce) || !errors.Is(err, websocket.ErrReadLimit) {
			return nil, err
		}
		return nil, &closeError{closeGarbage, "frame larger than 64 KiB"}
	}
	var f realtimev1.ClientFrame
	if kind != websocket.TextMessage {
		return nil, &closeError{closeGarbage, "frames are JSON text"}
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &f); err != nil {
		return nil, &closeError{closeGarbage, "frame is not a ClientFrame"}
	}
	return &f, nil
}

func (c *Console) readPump(ctx context.Context, s *socketConn) {
	alive := func(string) error { return s.ws.SetReadDeadline(time.Now().Add(readDeadline)) }
	s.ws.SetPongHandler(alive)
	watching := ""
	var target, told *inboxv1.ReplyTarget // whom an answer would reach, and whom this agent's typing was told; nil: nobody
	var asked time.Time                   // for target
	leave := func() {
		if watching != "" {
			c.presence.unwatch(s, watching)
			c.presence.state(viewer{Conversation: watching, Agent: s.agent.ID, Socket: s.id, Name: s.agent.Name, Gone: true, reply: told})
			told = nil
		}
	}
	defer func() { leave() }()
	for {
		_ = alive("")
		f, err := readFrame(s.ws)
		if err != nil {
			if ctx.Err() == nil {
				s.stop(err)
			}
			return
		}
		if w := f.GetWatch(); w != nil {
			id := w.GetConversationId()
			if !subject.ValidToken(id) {
				id = "" // an address that somebody mistyped is no conversation, and everything is none either
			}
			if id != watching {
				leave()
				watching, asked = id, time.Time{}
				c.presence.watch(s, id, c.replyTarget(ctx, s, id).GetHandle().GetId())
			}
			if id != "" {
				v := viewer{Conversation: id, Agent: s.agent.ID, Socket: s.id, Name: s.agent.Name, Typing: w.GetTyping(), reply: told}
				told = nil
				if v.Typing {
					if now := c.deps.Now(); now.Sub(asked) >= targetEvery { // the address may have become another's since
						target, asked = c.tellable(c.replyTarget(ctx, s, id)), now
					}
					told, v.reply = target, target
				}
				c.presence.state(v)
			}
		}
	}
}

// How long, and how often, is asked where an answer would go: marks that somebody types are not worth more.
const (
	targetTimeout = 2 * time.Second
	targetEvery   = time.Second
)

// replyTarget asks the backend where an answer in a conversation would go; nil: not known.
func (c *Console) replyTarget(ctx context.Context, s *socketConn, conversation string) *inboxv1.ReplyTarget {
	if conversation == "" || c.deps.ReplyTarget == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(actor.With(ctx, s.agent.actor()), targetTimeout)
	defer cancel()
	return c.deps.ReplyTarget(ctx, conversation)
}

// tellable is a target whose customer may be shown that an agent types: the one
// whom an answer would reach, where the channel can show it. nil: nobody is.
func (c *Console) tellable(t *inboxv1.ReplyTarget) *inboxv1.ReplyTarget {
	h := t.GetHandle()
	if c.deps.ShowsTyping == nil || !c.deps.ShowsTyping(t.GetChannel()) || t.GetRefused() != "" || t.GetOptedOut() != nil || h.GetRefuted() || h.GetAddress() == "" {
		return nil
	}
	return t
}

func (c *Console) writePump(ctx context.Context, s *socketConn) {
	ping := time.NewTicker(heartbeat)
	defer ping.Stop()
	recheck := time.NewTicker(c.recheck)
	defer recheck.Stop()
	enc := protojson.MarshalOptions{}
	var b []byte // used again: it grows to what frames need
	for {
		var f *realtimev1.ServerFrame
		select {
		case <-ctx.Done():
			return
		case <-recheck.C:
			if _, err := c.admit(ctx, s.session); err != nil {
				s.stop(err)
				return
			}
			continue
		case <-ping.C:
			_ = s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeDeadline))
			f = &realtimev1.ServerFrame{Frame: &realtimev1.ServerFrame_Ping{Ping: &realtimev1.Ping{}}}
		case f = <-s.queue:
		}
		var err error
		if b, err = enc.MarshalAppend(b[:0], f); err != nil {
			s.stop(err)
			return
		}
		_ = s.ws.SetWriteDeadline(time.Now().Add(writeDeadline))
		if err := s.ws.WriteMessage(websocket.TextMessage, b); err != nil {
			s.stop(err)
			return
		}
	}
}

// events sends the durable log after cursor, whole and in order.
func (c *Console) events(ctx context.Context, s *socketConn, cursor, head string) {
	kind := "resumed"
	if cursor == "" {
		cursor, kind = head, "head"
	}
	for {
		c.metrics.resumed.WithLabelValues(kind).Inc()
		err := c.stream(ctx, s, cursor)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, peer.ErrReset):
			h, herr := c.deps.Feed.Head(ctx)
			if herr != nil {
				s.stop(&closeError{closeDraining, "not ready"})
				return
			}
			if !s.put(ctx, &realtimev1.ServerFrame{Frame: &realtimev1.ServerFrame_Reset_{Reset_: &realtimev1.Reset{Reason: "cursor cannot be resumed", Head: h}}}) {
				return
			}
			cursor, kind = h, "reset"
		case errors.Is(err, peer.ErrSlow):
			s.stop(&closeError{closeSlow, "too slow: resume with your cursor"})
			return
		default:
			s.stop(&closeError{closeDraining, "feed ended"})
			return
		}
	}
}

// stream batches what is ready: at most 200 events a frame, no waiting for more.
// When it returns, nothing reads the feed for it any more.
func (c *Console) stream(ctx context.Context, s *socketConn, cursor string) error {
	batch := make([]*realtimev1.Event, 0, batchMax)
	events := make(chan *realtimev1.Event, batchMax)
	var failure error
	ctx, enough := context.WithCancel(ctx)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer enough()
	reader.Go(func() {
		defer close(events)
		for ev, err := range c.deps.Feed.Subscribe(ctx, cursor) {
			if err != nil {
				failure = err
				return
			}
			select {
			case events <- ev:
			case <-ctx.Done():
				return
			}
		}
	})
	for ev := range events {
		batch = append(batch[:0:0], ev)
	more:
		for len(batch) < batchMax {
			select {
			case next, ok := <-events:
				if !ok {
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		if !s.put(ctx, &realtimev1.ServerFrame{Frame: &realtimev1.ServerFrame_Batch{Batch: &realtimev1.Batch{Events: batch}}}) {
			return ctx.Err()
		}
		delivered(ctx, batch)
	}
	return failure
}

// put queues a durable frame. A reader that cannot keep up within the write
// deadline is closed: its cursor resumes exactly, so nothing is lost.
func (s *socketConn) put(ctx context.Context, f *realtimev1.ServerFrame) bool {
	select {
	case s.queue <- f:
		return true
	default:
	}
	t := time.NewTimer(writeDeadline)
	defer t.Stop()
	select {
	case s.queue <- f:
		return true
	case <-t.C:
		s.stop(&closeError{closeSlow, "too slow: resume with your cursor"})
	case <-ctx.Done():
	}
	return false
}

// bye tells the browser why, with the code it acts on.
func (c *Console) bye(ws *websocket.Conn, err error) {
	code, reason, label := websocket.CloseNormalClosure, "", "gone"
	var ce *closeError
	if errors.As(err, &ce) {
		code, reason = ce.code, ce.reason
		label = map[int]string{closeAuth: "auth", closeSlow: "slow", closeGarbage: "garbage", closeDraining: "draining"}[ce.code]
	} else if err != nil && strings.Contains(err.Error(), "timeout") {
		code, reason, label = closeHeartbeat, "no heartbeat", "heartbeat"
	}
	c.metrics.closed.WithLabelValues(label).Inc()
	_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
	if label == "garbage" {
		hangup.Drain(ws.NetConn(), time.Second) // nobody reads it any more
	}
}

// delivered ends the way of each message at an agent's socket in its trace.
func delivered(ctx context.Context, batch []*realtimev1.Event) {
	for _, ev := range batch {
		if ev.GetTrace() != "" {
			_, span := telemetry.Span(telemetry.WithTraceparent(ctx, ev.GetTrace()), "deliver", telemetry.Channel(ev.GetEntry().GetChannel()))
			span.End()
		}
	}
}
