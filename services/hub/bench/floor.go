package bench

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// partitions of IN and EVT, as in a hub.
const partitions = 4

// floor is what the log itself costs: the same embedded server with the same
// streams, and nobody reading. It runs in the bench's own process, which is the
// same binary with the same GOMAXPROCS.
type floor struct {
	dir    string
	server *natsbus.Embedded
	bus    *natsbus.Bus
	runs   int
}

// sizes are the mean payloads of a message in both streams, in bytes.
type sizes struct{ in, evt int }

func openFloor(ctx context.Context, parent string) (_ *floor, err error) {
	dir, err := os.MkdirTemp(parent, "weftline-floor-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	f := &floor{dir: dir}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.server, err = natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: dir}); err != nil {
		return nil, err
	}
	if f.bus, err = f.server.Connect(ctx); err != nil {
		return nil, err
	}
	if err := f.bus.Declare(ctx, natsbus.Config{InPartitions: partitions}); err != nil {
		return nil, err
	}
	store, err := jetstore.Open(ctx, f.bus.JS, jetstore.Config{Partitions: partitions})
	if err != nil {
		return nil, err
	}
	store.Close() // the streams exist now; the floor writes to them bare
	return f, nil
}

func (f *floor) close() {
	if f.bus != nil {
		f.bus.Close(context.Background())
	}
	if f.server != nil {
		f.server.Close()
	}
	os.RemoveAll(f.dir)
}

// pairs appends to IN and then to EVT, each synced and acknowledged, from as
// many writers as there are visitors, each with a subject of its own.
func (f *floor) pairs(ctx context.Context, writers int, sz sizes, d time.Duration) (window, error) {
	f.runs++
	var w window
	var mu sync.Mutex
	var failure atomic.Pointer[error]
	before, began := ownCPU(), time.Now()
	end := began.Add(d)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			own, err := f.write(ctx, fmt.Sprintf("w%d-%d", f.runs, i), i%partitions, sz, end)
			if err != nil {
				failure.CompareAndSwap(nil, &err)
			}
			mu.Lock()
			defer mu.Unlock()
			w.waits = append(w.waits, own...)
		})
	}
	all.Wait()
	w.took, w.cpu = time.Since(began), ownCPU()-before
	if e := failure.Load(); e != nil {
		return w, fmt.Errorf("measure the floor: %w", *e)
	}
	return w, nil
}

func (f *floor) write(ctx context.Context, key string, p int, sz sizes, end time.Time) ([]time.Duration, error) {
	in, evt := random(sz.in), random(sz.evt)
	subjects := [2]string{
		subject.In(p, subject.DefaultTenant, "chat", "bench", key),
		fmt.Sprintf("evt.%d.%s.customer.%s", p, subject.DefaultTenant, key),
	}
	var waits []time.Duration
	for n := 0; time.Now().Before(end) && ctx.Err() == nil; n++ {
		began := time.Now()
		for i, body := range [][]byte{in, evt} {
			m := &nats.Msg{Subject: subjects[i], Data: body, Header: nats.Header{jetstream.MsgIDHeader: {fmt.Sprintf("%s-%d-%d", key, i, n)}}}
			if _, err := f.bus.JS.PublishMsg(ctx, m); err != nil {
				return waits, err
			}
		}
		waits = append(waits, time.Since(began))
	}
	return waits, nil
}

// random is text that compresses as badly as sealed bodies do.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return []byte(base64.StdEncoding.EncodeToString(b))[:n]
}

// measureSizes reads from a stopped hub's streams how large messages are.
func measureSizes(ctx context.Context, data string) (sizes, error) {
	s, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: filepath.Join(data, "nats")})
	if err != nil {
		return sizes{}, err
	}
	defer s.Close()
	bus, err := s.Connect(ctx)
	if err != nil {
		return sizes{}, err
	}
	defer bus.Close(ctx)
	mean := func(name func(int) string) (int, error) {
		var messages, bytes uint64
		for p := range partitions {
			st, err := bus.JS.Stream(ctx, name(p))
			if err != nil {
				return 0, fmt.Errorf("look at stream %s: %w", name(p), err)
			}
			state := st.CachedInfo().State
			messages, bytes = messages+state.Msgs, bytes+state.Bytes
		}
		if messages == 0 {
			return 0, fmt.Errorf("stream %s is empty", name(0))
		}
		return max(1, int(bytes/messages)-overhead), nil
	}
	var sz sizes
	if sz.in, err = mean(subject.InStream); err != nil {
		return sz, err
	}
	sz.evt, err = mean(subject.EvtStream)
	return sz, err
}

// overhead of a stored message beyond its payload: record, subject and headers, about.
const overhead = 250

// fsyncs is how many appends of 1 KB to one file the disk makes durable in a second.
func fsyncs(dir string, d time.Duration) (float64, error) {
	f, err := os.CreateTemp(dir, "weftline-fsync-")
	if err != nil {
		return 0, fmt.Errorf("measure the disk: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block, n, began := random(1024), 0, time.Now()
	for time.Since(began) < d {
		if _, err := f.Write(block); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
