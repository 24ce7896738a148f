package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// check is one condition of readiness.
type check struct {
	name string
	fn   func(context.Context) error
}

// ops serves what operators and their machines ask. Liveness depends on
// nothing but the process: a sick database must not cause a restart storm.
func ops(mux *http.ServeMux, reg *prometheus.Registry, checks func() []check) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		answer, status := map[string]string{}, http.StatusOK
		for _, c := range checks() {
			answer[c.name] = "ok"
			if err := c.fn(ctx); err != nil {
				answer[c.name], status = err.Error(), http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
}

// listen opens the port before anything else starts, so that a taken one is said at once.
func listen(addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l.(*net.TCPListener), nil
}

func server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          stdlog.New(&serverLog{log: log, now: time.Now}, "", 0),
	}
}

// serveHTTP serves until ctx ends, then lets requests in flight finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := server(h, log)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close() // streams that never end by themselves
	}
	return nil
}

const (
	// bodyTime is how long a request's body may take: 25 MiB at a megabit per second fit.
	bodyTime = 5 * time.Minute
	// One that says its length has smallTime and what it needs at bodyPace bytes a second, if that is less.
	smallTime = 15 * time.Second
	bodyPace  = 16 << 10
)

// timeFor is how long a body of so many bytes may take; 0 or less: of any length.
func timeFor(length int64) time.Duration {
	if length <= 0 || length >= int64(bodyTime/time.Second)*bodyPace {
		return bodyTime
	}
	return min(bodyTime, smallTime+time.Duration(length)*time.Second/bodyPace)
}

// hurry bounds the time a body takes, also one nobody reads. Without it a
// stranger holds connections for ever by sending a byte now and then. Once the
// body is there the time is his who answers: some answers never end.
func hurry(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	if rc.SetReadDeadline(time.Now().Add(timeFor(r.ContentLength))) == nil {
		r.Body = &hurriedBody{r.Body, rc}
	}
}

type hurriedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *hurriedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// outside wraps everything the world can reach: one bad request harms itself alone.
func outside(h http.Handler, log *slog.Logger) http.Handler {
	safe := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil || p == http.ErrAbortHandler {
				return
			}
			log.Error("request handler panicked", "route", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
		}()
		h.ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Own spans instead of a library's: those carry the caller's address.
		ctx, span := telemetry.Span(telemetry.WithTraceparent(r.Context(), r.Header.Get("Traceparent")), "http "+r.Method)
		defer span.End()
		if r.ContentLength != 0 {
			hurry(w, r)
		}
		safe.ServeHTTP(w, r.WithContext(ctx))
	})
}
