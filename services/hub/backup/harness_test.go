package backup_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/datadir"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/natsbus"
)

const partitions = 4

// hub is what a data directory holds, opened as the hub opens it.
type hub struct {
	t       testing.TB
	path    string
	emb     *natsbus.Embedded
	bus     *natsbus.Bus
	events  *jetstore.Store
	state   docstore.Store
	keysDB  docstore.Store
	keys    *crypt.Ring
	blobs   *blob.Dir
	intake  *intake.Intake
	closers []func()
	close   func()
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func open(t testing.TB, path string, existing bool) *hub {
	t.Helper()
	ctx := within(t)
	h := &hub{t: t, path: path}
	h.close = sync.OnceFunc(func() {
		for i := len(h.closers) - 1; i >= 0; i-- {
			h.closers[i]()
		}
	})
	t.Cleanup(h.close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := datadir.Open(path)
	must(err)
	h.closers = append(h.closers, func() { _ = d.Close() })
	h.state, err = sqlite.Open(ctx, d.Path("state.db"), sqlite.Options{Sync: sqlite.Full})
	must(err)
	h.closers = append(h.closers, func() { _ = h.state.Close() })
	h.keysDB, err = sqlite.Open(ctx, d.Path("keys.db"), sqlite.Options{Sync: sqlite.Full})
	must(err)
	h.closers = append(h.closers, func() { _ = h.keysDB.Close() })
	kek, err := crypt.LoadKEK(ctx, h.keysDB, path)
	must(err)
	h.keys, err = crypt.NewKeyring(ctx, h.keysDB, kek, crypt.Options{Recheck: -1})
	must(err)
	h.blobs, err = blob.NewDir(d.Path("blobs"), h.keys)
	must(err)
	h.closers = append(h.closers, func() { _ = h.blobs.Close() })
	h.emb, err = natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: d.Path("nats")})
	must(err)
	h.closers = append(h.closers, h.emb.Close)
	h.bus, err = h.emb.Connect(ctx)
	must(err)
	h.closers = append(h.closers, func() { _ = h.bus.Close(context.Background()) })
	must(h.bus.Declare(ctx, natsbus.Config{InPartitions: partitions}))
	h.events, err = jetstore.Open(ctx, h.bus.JS, jetstore.Config{Partitions: partitions, Existing: existing})
	must(err)
	h.closers = append(h.closers, func() { _ = h.events.Close() })
	h.intake, err = intake.New(h.bus, h.keys, h.blobs, intake.Config{Partitions: partitions, InlineLimit: 1024})
	must(err)
	must(h.state.Declare(ctx, docstore.Collection{Name: "cursors"}))
	return h
}

func (h *hub) source() backup.Source {
	return backup.Source{
		JS: h.bus.JS, NC: h.bus.NC, State: h.state, Keys: h.keysDB,
		BlobDir: filepath.Join(h.path, "blobs"), KEKPath: filepath.Join(h.path, "kek"), Version: datadir.Version,
	}
}

func (h *hub) backup(dir string) {
	h.t.Helper()
	if err := backup.Write(within(h.t), h.source(), dir, io.Discard); err != nil {
		h.t.Fatal(err)
	}
}

// history is a stream of the log.
func (h *hub) history(ctx context.Context, stream string) (all []eventstore.Commit, err error) {
	for c, err := range h.events.Load(ctx, "default", stream, 0) {
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// once appends a commit unless its id is there, after what is there.
func (h *hub) once(ctx context.Context, stream string, c eventstore.Commit) (eventstore.Result, error) {
	for {
		past, err := h.history(ctx, stream)
		if err != nil {
			return eventstore.Result{}, err
		}
		var last uint64
		for _, p := range past {
			if last = p.Seq; p.ID == c.ID {
				return eventstore.Result{Partition: p.Partition, Seq: p.Seq, Duplicate: true}, nil
			}
		}
		c.RecordedAt = time.Now().UTC().Truncate(time.Microsecond)
		r := h.events.Append(ctx, eventstore.Append{Tenant: "default", Stream: stream, Expect: last, Commit: c})[0]
		if _, ok := errors.AsType[*eventstore.ConflictError](r.Err); !ok {
			return r, r.Err
		}
	}
}
