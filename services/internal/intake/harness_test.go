package intake_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

type rig struct {
	bus   *natsbus.Bus
	keys  *crypt.Ring
	blobs *countingBlobs
	in    *intake.Intake
}

// countingBlobs notes what stays in the blob store.
type countingBlobs struct {
	blob.Store
	held atomic.Int64
	mu   sync.Mutex
	keys []string
}

// lose deletes all of them behind the intake's back.
func (c *countingBlobs) lose(t testing.TB) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.keys {
		if err := c.Store.Delete(within(t), k); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *countingBlobs) Put(ctx context.Context, key string, r io.Reader, limit int64) (string, int64, error) {
	k, n, err := c.Store.Put(ctx, key, r, limit)
	if err == nil {
		c.held.Add(1)
		c.mu.Lock()
		c.keys = append(c.keys, k)
		c.mu.Unlock()
	}
	return k, n, err
}

func (c *countingBlobs) Delete(ctx context.Context, key string) error {
	c.held.Add(-1)
	return c.Store.Delete(ctx, key)
}

func newRig(t testing.TB, cfg intake.Config) rig {
	t.Helper()
	keys := crypt.NewMemory()
	dir, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	blobs := &countingBlobs{Store: dir}
	bus := natsbustest.New(t)
	in, err := intake.New(bus, keys, blobs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rig{bus, keys, blobs, in}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// read consumes n messages, by the key of their lane.
func (r rig) read(t testing.TB, n int) map[string][]intake.Input {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	sub, err := natsbus.NewSubscriber(r.bus, natsbus.SubscriberConfig{Durable: "read", Streams: natsbus.InStreams(4)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := sub.Subscribe(ctx, "in.>")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]intake.Input{}
	for range n {
		var m *message.Message
		select {
		case m = <-msgs:
		case <-ctx.Done():
			t.Fatal("too few messages")
		}
		in, err := intake.Decode(ctx, r.keys, r.blobs, m.Metadata, m.Payload)
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		key := natsbus.LaneKey(m.Metadata.Get(natsbus.MetaSubject))
		got[key] = append(got[key], in)
		m.Ack()
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func (r rig) stored(t testing.TB) (n uint64) {
	t.Helper()
	for p := range 4 {
		s, err := r.bus.JS.Stream(within(t), fmt.Sprintf("IN-%d", p))
		if err != nil {
			t.Fatal(err)
		}
		n += s.CachedInfo().State.Msgs
	}
	return n
}

func raw(i int, from string) channel.Raw {
	return channel.Raw{
		Tenant: "default", Channel: "email", Inbox: "support", ProviderID: fmt.Sprintf("INBOX/1/%d", i),
		Peek:       channel.Address{Kind: "email", Address: from},
		ReceivedAt: time.Date(2026, 11, 1, 9, 0, i, 5000, time.UTC), ContentType: "message/rfc822",
		Body: fmt.Appendf(nil, "Subject: %d\r\n\r\nhello\x00\xff", i),
	}
}
