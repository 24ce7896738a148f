package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// crowd are visitors who have written once and whose widgets stay open.
type crowd struct {
	hub     *child
	inbox   string
	members []*sitter
	reading sync.WaitGroup
	lost    atomic.Int64 // sockets that ended without our doing
	ending  atomic.Bool
}

// sitter is one of them.
type sitter struct {
	index  int
	ws     *websocket.Conn
	token  string
	cursor string
}

// dialAtOnce bounds handshakes under way: about what a listener's backlog takes.
const dialAtOnce = 512

// places are the loopback addresses the crowd comes from, as a hub counts
// connections by address.
const places = 200

var writeBuffers sync.Pool

// dial opens a sitter's socket with what he kept, and waits for the welcome and
// for everything said since.
func (s *sitter) dial(ctx context.Context, hub *child, inbox string) error {
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+s.index%places))}}
	d := websocket.Dialer{HandshakeTimeout: patience, NetDialContext: from.DialContext, ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &writeBuffers}
	ws, _, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(hub.url, "http")+"/chat/"+inbox+"/ws", http.Header{"Origin": {hub.url}})
	if err != nil {
		return fmt.Errorf("open socket %d: %w", s.index, err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	hello := map[string]string{"type": "hello", "token": s.token, "after": s.cursor}
	if err := ws.WriteJSON(hello); err != nil {
		ws.Close()
		return fmt.Errorf("greet the hub: %w", err)
	}
	for welcomed := false; ; {
		var f sitterFrame
		if err := ws.ReadJSON(&f); err != nil {
			ws.Close()
			return fmt.Errorf("greet the hub, socket %d: %w", s.index, err)
		}
		switch f.Type {
		case "welcome":
			if s.token != "" && f.Reset {
				ws.Close()
				return fmt.Errorf("socket %d: the hub does not know him any more", s.index)
			}
			s.token, welcomed = f.Token, true
		case "messages":
			s.cursor = f.Cursor
			if welcomed && f.Done {
				s.ws = ws
				return ws.SetReadDeadline(time.Time{})
			}
		case "error", "bye":
			ws.Close()
			return fmt.Errorf("greet the hub, socket %d: %s %s", s.index, f.Type, f.Code)
		}
	}
}

// sitterFrame is what the bench needs of a frame.
type sitterFrame struct {
	Type, Code, Token, Cursor string
	Reset, Done               bool
	ClientID                  string `json:"client_id"`
	Message                   struct{ Position string }
}

// write says one message and waits until the hub has it.
func (s *sitter) write() error {
	id := uuid.NewString()
	if err := s.ws.WriteJSON(map[string]string{"type": "message", "client_id": id, "text": "I am here."}); err != nil {
		return fmt.Errorf("socket %d: %w", s.index, err)
	}
	_ = s.ws.SetReadDeadline(time.Now().Add(patience))
	for {
		var f sitterFrame
		if err := s.ws.ReadJSON(&f); err != nil {
			return fmt.Errorf("socket %d: %w", s.index, err)
		}
		if f.Type == "ack" && f.ClientID == id {
			return s.ws.SetReadDeadline(time.Time{})
		}
		if f.Type == "error" {
			return fmt.Errorf("socket %d: %s", s.index, f.Code)
		}
	}
}

// open lets n more in, each of whom says something.
func (c *crowd) open(ctx context.Context, n int) error {
	var come []*sitter
	for range n {
		come = append(come, &sitter{index: len(c.members) + len(come)})
	}
	c.members = append(c.members, come...)
	return each(come, func(s *sitter) error {
		if err := s.dial(ctx, c.hub, c.inbox); err != nil {
			return err
		}
		if err := s.write(); err != nil {
			return err
		}
		c.listen(s)
		return nil
	})
}

func each(people []*sitter, do func(*sitter) error) error {
	var g errgroup.Group
	g.SetLimit(dialAtOnce)
	for _, s := range people {
		g.Go(func() error { return do(s) })
	}
	return g.Wait()
}

// listen reads what the hub sends and answers its pings.
func (c *crowd) listen(s *sitter) {
	c.reading.Go(func() {
		for {
			_, b, err := s.ws.ReadMessage()
			if err != nil {
				if !c.ending.Load() {
					c.lost.Add(1)
				}
				return
			}
			var f sitterFrame
			if json.Unmarshal(b, &f) == nil && f.Cursor != "" {
				s.cursor = f.Cursor
			}
		}
	})
}

// cut ends every connection at once, as a network that fails: nobody says good-bye.
func (c *crowd) cut() {
	c.ending.Store(true)
	for _, s := range c.members {
		if s.ws == nil {
			continue
		}
		if tcp, ok := s.ws.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		s.ws.Close()
	}
	c.reading.Wait()
	c.ending.Store(false)
}

// storm is everybody coming back at once with what he kept.
func (c *crowd) storm(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := each(c.members, func(s *sitter) error {
		if err := s.dial(ctx, c.hub, c.inbox); err != nil {
			return err
		}
		c.listen(s)
		return nil
	})
	return time.Since(began), err
}
