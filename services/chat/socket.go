package chat

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"
	"github.com/weftline/weftline/services/internal/hangup"
)

// socket is what a session needs of a websocket connection. One goroutine
// reads, one writes; control frames, the read deadline and Close are safe beside them.
type socket interface {
	ReadMessage() (kind int, data []byte, err error)
	WriteMessage(kind int, data []byte) error
	WriteControl(kind int, data []byte, deadline time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Close() error
	NetConn() net.Conn
}

var errEnded = errors.New("session ended")

// push queues a frame; a full queue ends the session.
func (s *session) push(frame any) {
	b, err := json.Marshal(frame)
	if err != nil {
		return // every frame is a plain struct
	}
	if !s.queue.offer(b) {
		s.end(closeSlow, "too slow")
	}
}

// drop queues a frame that nobody misses.
func (s *session) drop(frame any) {
	b, err := json.Marshal(frame)
	if err == nil && s.queue.half(len(b)) {
		s.queue.offer(b)
	}
}

// pushWhenRoom waits until the visitor has taken most of what went before.
func (s *session) pushWhenRoom(ctx context.Context, frame any) error {
	b, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	for !s.queue.half(len(b)) || !s.queue.offer(b) {
		select {
		case <-ctx.Done():
			return errEnded
		case <-s.queue.room:
		}
	}
	return nil
}

// end closes the session once. It never blocks.
func (s *session) end(code int, reason string) {
	s.once.Do(func() {
		s.code, s.reason = code, reason
		s.cancel(errEnded)
	})
}

// writePump is the only writer. After the end it still writes what was queued,
// unless the visitor was too slow for that.
func (s *session) writePump(ctx context.Context) {
	tick := time.NewTicker(s.a.timing.Ping)
	defer tick.Stop()
	for {
		for {
			b, ok := s.queue.next()
			if !ok {
				break
			}
			if err := s.write(b); err != nil {
				s.end(0, "write failed")
				return
			}
			if ctx.Err() != nil && s.code == closeSlow {
				return
			}
		}
		select {
		case <-ctx.Done():
			if s.code == 0 || s.code == closeSlow {
				return
			}
			for b, ok := s.queue.next(); ok; b, ok = s.queue.next() {
				if s.write(b) != nil {
					return
				}
			}
			return
		case <-s.queue.wake:
		case <-tick.C:
			// Page scripts cannot see control frames, so there is a ping of both kinds.
			if err := s.sock.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.a.timing.Write)); err != nil {
				s.end(0, "ping failed")
				return
			}
			s.drop(pingFrame{Type: "ping"})
		}
	}
}

func (s *session) write(b []byte) error {
	if err := s.sock.SetWriteDeadline(time.Now().Add(s.a.timing.Write)); err != nil {
		return err
	}
	return s.sock.WriteMessage(websocket.TextMessage, b)
}

// goodbye closes a session that has ended and unblocks the reader.
func (s *session) goodbye(written <-chan struct{}) {
	if s.code != 0 {
		s.a.metrics.ended(s.code)
		wait := time.NewTimer(s.a.timing.Close)
		select {
		case <-written:
		case <-wait.C:
		}
		wait.Stop()
		deadline := time.Now().Add(s.a.timing.Close)
		// The reader keeps reading until the peer has answered, so that unread
		// input does not make the kernel throw the close frame away.
		s.sock.SetReadDeadline(deadline)
		err := s.sock.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.code, s.reason), deadline)
		if err == nil {
			return
		}
	}
	s.sock.Close()
}

// readPump reads until the connection ends. What comes after the end is thrown away.
func (s *session) readPump(ctx context.Context, handle func(context.Context, []byte)) {
	for {
		kind, b, err := s.sock.ReadMessage()
		if err != nil {
			var ne net.Error
			switch {
			case errors.As(err, &ne) && ne.Timeout():
				s.end(closeHeartbeat, "silent")
			case errors.Is(err, websocket.ErrReadLimit):
				s.a.metrics.garbage.Inc()
				s.end(closeGarbage, "frame too large")
				hangup.Drain(s.sock.NetConn(), s.a.timing.Close) // of the rest of the frame
			}
			s.end(0, "gone")
			return
		}
		if ctx.Err() != nil {
			continue
		}
		s.alive()
		if kind != websocket.TextMessage {
			s.garbage("not text")
			continue
		}
		handle(ctx, b)
	}
}

// alive moves the silence deadline, unless the end has set a nearer one.
func (s *session) alive() {
	s.sock.SetReadDeadline(time.Now().Add(s.a.timing.Silence))
	select {
	case <-s.done:
		s.sock.SetReadDeadline(time.Now().Add(s.a.timing.Close))
	default:
	}
}

func (s *session) garbage(what string) {
	s.a.metrics.garbage.Inc()
	s.end(closeGarbage, "not understood: "+what)
}
