package natsbus

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// serverLog passes the server's warnings and errors on; its notices are debug.
type serverLog struct {
	log    *slog.Logger
	broken *broken
}

func (l serverLog) Noticef(f string, v ...any) {
	l.log.Debug("nats server", "says", fmt.Sprintf(f, v...))
}

func (l serverLog) Warnf(f string, v ...any) { l.log.Warn("nats server", "says", fmt.Sprintf(f, v...)) }

func (l serverLog) Errorf(f string, v ...any) {
	says := fmt.Sprintf(f, v...)
	l.broken.hear(says)
	l.log.Error("nats server", "says", says)
}

func (l serverLog) Fatalf(f string, v ...any) {
	l.log.Error("nats server", "says", fmt.Sprintf(f, v...))
}

func (l serverLog) Debugf(f string, v ...any) {
	l.log.Debug("nats server", "says", fmt.Sprintf(f, v...))
}

func (l serverLog) Tracef(f string, v ...any) {
	l.log.Debug("nats server", "says", fmt.Sprintf(f, v...))
}

// broken is the first failure to write a stream. The server keeps refusing
// writes to that stream until it is started anew, also when the reason (a full
// disk) has gone, and tells of it in its log alone.
type broken struct {
	mu    sync.Mutex
	err   error
	known chan struct{} // closed with the first
}

func newBroken() *broken { return &broken{known: make(chan struct{})} }

func (b *broken) hear(says string) {
	if !strings.Contains(says, "Critical write error") && !strings.HasPrefix(says, "JetStream failed to store a msg") {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = errors.New("a stream cannot be written until the hub is started anew: " + says)
		close(b.known)
	}
}

func (b *broken) first() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
