// Package natsbustest starts a real embedded server for a test.
package natsbustest

import (
	"context"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/natsbus"
)

// New starts a server in a directory of its own, declares the streams and
// connects. All ends with the test.
func New(tb testing.TB) *natsbus.Bus {
	tb.Helper()
	_, bus := Start(tb, tb.TempDir())
	return bus
}

// Start is New over a directory that the test chooses, so that it can close the
// server and start it again.
func Start(tb testing.TB, dir string) (*natsbus.Embedded, *natsbus.Bus) {
	tb.Helper()
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: dir, MaxStore: 8 << 30})
	if err != nil {
		tb.Fatalf("start embedded nats: %v", err)
	}
	tb.Cleanup(e.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	bus, err := e.Connect(ctx)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	tb.Cleanup(bus.NC.Close)
	if err := bus.Declare(ctx, natsbus.Config{}); err != nil {
		tb.Fatalf("declare streams: %v", err)
	}
	return e, bus
}
