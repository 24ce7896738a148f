package natsbus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// requestTimeout is how long JetStream may take to answer when the caller's
// context has no deadline. Synced writes queue behind one another, so the
// library's 5 s is too short on a busy disk.
const requestTimeout = 30 * time.Second

// Bus is a connection. Safe for concurrent use.
type Bus struct {
	NC *nats.Conn
	JS jetstream.JetStream
}

// Connect connects to a server or a cluster (comma-separated URLs). creds is
// the path of a credentials file, or empty. It keeps reconnecting for ever once
// it has been connected.
func Connect(ctx context.Context, url, creds string, opts ...nats.Option) (*Bus, error) {
	all := []nats.Option{
		nats.Name("weftline"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
	}
	if creds != "" {
		all = append(all, nats.UserCredentials(creds))
	}
	if d, ok := ctx.Deadline(); ok {
		all = append(all, nats.Timeout(time.Until(d)))
	}
	nc, err := nats.Connect(url, append(all, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout), jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("open jetstream: %w", err)
	}
	return &Bus{NC: nc, JS: js}, nil
}

// Close sends what is buffered (acknowledgements among it) and closes the
// connection, at the latest when ctx ends. Stop subscribers first.
func (b *Bus) Close(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
	}
	err := b.NC.FlushWithContext(ctx)
	b.NC.Close()
	if err != nil {
		return fmt.Errorf("flush nats connection: %w", err)
	}
	return nil
}
