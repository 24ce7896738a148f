package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// serverLog takes what net/http says of its connections. Most of it strangers cause, so it is
// for debugging; that connections cannot be accepted, as no descriptors are left, is an
// error of ours, and said once a minute.
type serverLog struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	last time.Time
}

func (l *serverLog) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte("Accept error")) {
		l.log.Debug("a connection ended in trouble", "error", strings.TrimSpace(string(p)))
		return len(p), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); l.last.IsZero() || now.Sub(l.last) >= time.Minute {
		l.last = now
		l.log.Error("connections cannot be accepted", "error", strings.TrimSpace(string(p)))
	}
	return len(p), nil
}
