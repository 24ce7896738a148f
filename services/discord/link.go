package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// maxWaiting is how many events wait while those before them are taken in. What
// does not fit waits at Discord.
const maxWaiting = 4096

// Bounds of heartbeat_interval, in milliseconds: more than 120 payloads a minute end a connection ("Rate Limiting").
const (
	shortestBeat = 1000
	longestBeat  = 3_600_000
)

// link is one open connection.
type link struct {
	ws       *websocket.Conn
	events   chan frame    // closed at the end, when all that came is in it
	taken    *atomic.Int64 // the sequence that is on disk: what heartbeats say
	answered atomic.Bool
	writes   sync.Mutex
	cause    atomic.Pointer[error]
}

// open waits for Hello and lets the connection run until ctx ends or it does: then events is closed, and err says why.
func (f *follower) open(ctx context.Context, ws *websocket.Conn) (*link, error) {
	_ = ws.SetReadDeadline(time.Now().Add(30 * time.Second))
	hurry := context.AfterFunc(ctx, func() { ws.Close() }) // nobody who wants to stop waits for a hello
	defer hurry()
	var hello frame
	if err := ws.ReadJSON(&hello); err != nil {
		return nil, lost(err)
	}
	var d struct {
		Interval int64 `json:"heartbeat_interval"` // milliseconds
	}
	if hello.Op != opHello || json.Unmarshal(hello.Data, &d) != nil || d.Interval <= 0 {
		return nil, errors.New("the gateway does not say hello")
	}
	_ = ws.SetReadDeadline(time.Time{})
	l := &link{ws: ws, events: make(chan frame, maxWaiting), taken: &f.taken}
	l.answered.Store(true)
	ctx, stop := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { l.beat(ctx, time.Duration(min(max(d.Interval, shortestBeat), longestBeat))*time.Millisecond) })
	both.Go(func() {
		defer stop()
		l.end(l.read(ctx))
	})
	go func() {
		<-ctx.Done()
		ws.Close() // without a close frame of ours, so that the session can go on ("Initiating a Disconnect")
		both.Wait()
		close(l.events)
	}()
	return l, nil
}

// end notes why the connection ends; the first reason is the reason.
func (l *link) end(err error) { l.cause.CompareAndSwap(nil, &err) }

// err is why it ended. Once events is closed.
func (l *link) err() error { return *l.cause.Load() }

// read gives what comes until the connection ends.
func (l *link) read(ctx context.Context) error {
	for {
		var f frame
		_, b, err := l.ws.ReadMessage()
		if err != nil {
			return lost(err)
		}
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		switch f.Op {
		case opDispatch:
			select {
			case l.events <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
		case opHeartbeat:
			if err := l.say(opHeartbeat, l.sequence()); err != nil {
				return lost(err)
			}
		case opAck:
			l.answered.Store(true)
		case opReconnect:
			return errReconnect
		case opInvalid:
			if string(f.Data) == "true" {
				return errResumable
			}
			return errStarted
		}
	}
}

// beat sends heartbeats; one that is not answered before the next ends the connection ("Sending Heartbeats").
func (l *link) beat(ctx context.Context, every time.Duration) {
	next := time.NewTimer(time.Duration(rand.Float64() * float64(every)))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if !l.answered.Swap(false) {
			l.end(errZombie)
			l.ws.Close()
			return
		}
		if err := l.say(opHeartbeat, l.sequence()); err != nil {
			l.end(lost(err))
			l.ws.Close()
			return
		}
		next.Reset(every)
	}
}

// sequence is what heartbeats say: nothing, or what is on disk.
func (l *link) sequence() any {
	if n := l.taken.Load(); n > 0 {
		return n
	}
	return nil
}

func (l *link) say(op int, data any) error {
	l.writes.Lock()
	defer l.writes.Unlock()
	_ = l.ws.SetWriteDeadline(time.Now().Add(30 * time.Second))
	return l.ws.WriteJSON(map[string]any{"op": op, "d": data})
}
