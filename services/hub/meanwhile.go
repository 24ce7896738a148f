package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/weftline/weftline/services/conversation"
)

// meanwhile answers at the hub's addresses while its read models are built and
// there is nothing to serve yet: alive, not ready, how far it is. Who looks
// after the process would kill it otherwise, who waits for it would not know
// why. A nil one answers nobody, which is right for commands.
type meanwhile struct {
	public  *net.TCPListener
	private *net.TCPListener // where operators ask (ops_listen); nil: where everybody does

	mu    sync.Mutex
	parts map[int]conversation.RebuildProgress // by partition
}

// answer serves until the function it returns is called; the listeners are then
// open still, and who called in between waits for whoever serves them next.
func (m *meanwhile) answer(ctx context.Context, h *hub) (end func()) {
	if m == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	serve := func(l *net.TCPListener, withOps bool) {
		mux := http.NewServeMux()
		if withOps {
			ops(mux, h.metrics, func() []check { return []check{{"read models", m.progress}} })
		}
		mux.HandleFunc("/", m.explain)
		all.Go(func() {
			if err := lend(ctx, l, server(outside(onceEach(mux), h.log), h.log)); err != nil {
				h.log.Warn("nobody is told that the read models are being built", "err", err)
			}
		})
	}
	serve(m.public, m.private == nil)
	if m.private != nil {
		serve(m.private, true)
	}
	return func() {
		stop()
		all.Wait()
	}
}

// onceEach answers one request a connection: who kept his would go on asking here.
func onceEach(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		h.ServeHTTP(w, r)
	})
}

// tell takes how far a partition is.
func (m *meanwhile) tell(p conversation.RebuildProgress) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.parts == nil {
		m.parts = map[int]conversation.RebuildProgress{}
	}
	m.parts[p.Partition] = p
}

// progress is the error that says why this hub is not ready.
func (m *meanwhile) progress(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var done, all uint64
	for _, p := range m.parts {
		done, all = done+p.Applied, all+p.Head
	}
	if all == 0 {
		return fmt.Errorf("being built, as after an upgrade or a restored backup")
	}
	return fmt.Errorf("being built, as after an upgrade or a restored backup: %d of %d commits", done, all)
}

// explain refuses everything for the time being: providers and clients try again.
func (m *meanwhile) explain(w http.ResponseWriter, r *http.Request) {
	h, why := w.Header(), "Weftline is not ready: its read models are "+m.progress(r.Context()).Error()+"."
	h.Set("Retry-After", "10")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Content-Type", "application/json") // as a Connect error
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"code": "unavailable", "message": why})
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>Weftline is starting</title><body style="font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem">
<h1 style="font-size:1.4rem">Weftline is starting</h1><p>%s</p><p>Nothing is lost: what customers send is taken in when it is ready. This page looks again every five seconds.</p>`, why)
}

// lend lets a server have a listener until ctx ends, and returns when who had
// called is answered. Server.Shutdown would close it, and hang up on callers of
// its last moment.
func lend(ctx context.Context, l *net.TCPListener, srv *http.Server) error {
	var callers sync.WaitGroup
	srv.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew: // before Serve takes the next, so never after it has returned
			callers.Add(1)
		case http.StateClosed:
			callers.Done()
		}
	}
	lent := &lentListener{l, ctx}
	woken := make(chan struct{})
	wake := context.AfterFunc(ctx, func() {
		_ = l.SetDeadline(time.Now())
		close(woken)
	})
	err := srv.Serve(lent)
	silent := time.AfterFunc(5*time.Second, func() { srv.Close() }) // callers who ask nothing
	callers.Wait()
	silent.Stop()
	if !wake() {
		<-woken
		return l.SetDeadline(time.Time{})
	}
	return err
}

// lentListener stops being listened to, without being closed, when ctx ends.
type lentListener struct {
	*net.TCPListener
	ctx context.Context
}

func (l *lentListener) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if err != nil && l.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	return c, err
}

func (l *lentListener) Close() error { return nil } // whose it is closes it
