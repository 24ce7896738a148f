package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/fill"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// An inbox nothing arrives at: the cases that read need none, and with one in
// the file there is no demo.
const idleInbox = `
  - id: bench
    channel: chat
`

// filled is a data directory with a log in it.
type filled struct {
	dir     string
	commits int
	first   string        // the customer with a long timeline
	project time.Duration // what the hub needed to bring its read models up to date
	cpu     time.Duration // of that
}

// long is how many messages the customer has whose timeline is read.
const long = 200

// fill makes a data directory with n conversations of two messages, once for
// all cases. The log is written directly, without a hub and without fsync until
// the end; the hub then projects it by itself.
func (b *bench) fill(ctx context.Context, n int) (*filled, error) {
	if f := b.filled[n]; f != nil {
		return f, nil
	}
	dir, remove, err := b.tempDir()
	if err != nil {
		return nil, err
	}
	b.cleanup = append(b.cleanup, remove)
	hub, err := startChild(ctx, b.Exe, dir, idleInbox) // makes streams, keys and stores as they should be
	if err == nil {
		err = hub.stop()
	}
	if err != nil {
		return nil, err
	}
	f := &filled{dir: dir}
	began := time.Now()
	if err := f.write(ctx, fill.Config{Conversations: n, Messages: 2, Long: long}); err != nil {
		return nil, fmt.Errorf("fill the log: %w", err)
	}
	b.say("%d conversations: log of %d commits written in %s", n, f.commits, time.Since(began).Round(time.Second))
	if err := f.settle(ctx, b, n); err != nil {
		return nil, err
	}
	if b.filled == nil {
		b.filled = map[int]*filled{}
	}
	b.filled[n] = f
	return f, nil
}

func (f *filled) write(ctx context.Context, cfg fill.Config) error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "weftline", JetStream: true, StoreDir: filepath.Join(f.dir, "nats"),
		JetStreamMaxStore: 256 << 30, DontListen: true, NoSigs: true,
	})
	if err != nil {
		return err
	}
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }() // writes and syncs
	if !srv.ReadyForConnections(patience) {
		return fmt.Errorf("the log did not open")
	}
	bus, err := natsbus.Connect(ctx, "", "", nats.InProcessServer(srv))
	if err != nil {
		return err
	}
	defer bus.Close(context.WithoutCancel(ctx))
	events, err := jetstore.Open(ctx, bus.JS, jetstore.Config{Partitions: partitions, Existing: true})
	if err != nil {
		return err
	}
	defer events.Close()
	table, err := sqlite.Open(ctx, filepath.Join(f.dir, "keys.db"), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		return err
	}
	defer table.Close()
	kek, err := crypt.LoadKEK(ctx, table, f.dir)
	if err != nil {
		return err
	}
	keys, err := crypt.NewKeyring(ctx, table, kek, crypt.Options{Recheck: -1})
	if err != nil {
		return err
	}
	cfg.Inbox, cfg.Start = "bench", time.Now().Add(-30*24*time.Hour)
	f.commits, f.first, err = fill.Write(ctx, events, keys, cfg)
	return err
}

// settle lets a hub project the log.
func (f *filled) settle(ctx context.Context, b *bench, n int) error {
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return err
	}
	defer hub.kill()
	began := time.Now()
	api, err := newAPI(ctx, hub)
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := api.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 1})
		if err != nil {
			return fmt.Errorf("wait for the read models: %w", err)
		}
		if res.GetCounts().GetOpen() >= int64(n) {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.project = time.Since(began)
	if f.cpu, err = hub.cpu(); err != nil {
		return err
	}
	b.say("%d conversations: projected in %s", n, f.project.Round(100*time.Millisecond))
	return hub.stop()
}
