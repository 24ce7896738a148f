package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/datadir"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/mongo"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/loghead"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/storeid"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// partitions of IN and EVT on a new log; fixed at its creation.
const partitions = 4

// platform is what every part stands on: the directory, the streams, the
// stores, the keys. It is opened once and closed in reverse.
type platform struct {
	cfg     config.Config
	log     *slog.Logger
	metrics *prometheus.Registry

	dir      *datadir.Dir
	embedded *natsbus.Embedded // nil when a cluster is used
	bus      *natsbus.Bus
	events   *jetstore.Store
	keys     *crypt.Ring
	blobs    *blob.Dir
	state    docstore.Store // fsynced: agents, cursors, attempts
	keyTable docstore.Store // fsynced: data keys
	views    docstore.Store // rebuildable
	intake   *intake.Intake
	audit    *audit.Log

	closers []func()
}

func logger(cfg config.Config, w io.Writer) *slog.Logger {
	level, _ := cfg.Log.SlogLevel() // Validate has seen it
	return telemetry.NewLogger(w, level, cfg.Log.Format)
}

// openPlatform opens everything or nothing; not a log whose end is gone.
func openPlatform(ctx context.Context, cfg config.Config, log *slog.Logger) (*platform, error) {
	p, err := openDamaged(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	err = p.checkLog(ctx)
	if err == nil {
		err = loghead.Begin(ctx, p.state)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	p.onClose(func() { p.noteLog(context.WithoutCancel(ctx)) })
	return p, nil
}

// openDamaged is openPlatform for who looks after a log whose end is gone.
func openDamaged(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *platform, err error) {
	p := &platform{cfg: cfg, log: log, metrics: telemetry.NewRegistry()}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.dir, err = datadir.Open(cfg.Data); err != nil {
		return nil, err
	}
	p.onClose(func() { p.dir.Close() })
	if err = p.dir.CheckParts(p.parts()...); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{p.openStores, p.openKeys, p.openStreams, p.openAudit} {
		if err = step(ctx); err != nil {
			return nil, err
		}
	}
	if err = p.dir.NoteParts(p.parts()...); err != nil {
		return nil, err
	}
	return p, nil
}

// parts of the data directory this configuration stands on, as paths in it.
// The read models are not among them: they are built anew.
func (p *platform) parts() []string {
	parts := []string{"blobs"}
	if p.cfg.Mongo.URI == "" {
		parts = append(parts, "state.db", "keys.db")
	}
	if os.Getenv(crypt.EnvKEK) == "" {
		parts = append(parts, "kek")
	}
	if p.cfg.NATS.URL == "" {
		parts = append(parts, filepath.Join("nats", "jetstream"))
	}
	return parts
}

func (p *platform) onClose(fn func()) { p.closers = append(p.closers, fn) }

func (p *platform) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
	p.closers = nil
}

// openStores: three SQLite files with their own durability, or one MongoDB.
func (p *platform) openStores(ctx context.Context) error {
	if p.cfg.Mongo.URI != "" {
		db, err := mongo.Open(ctx, p.cfg.Mongo.URI, mongo.Options{Database: p.cfg.Mongo.Database})
		if err != nil {
			return fmt.Errorf("open MongoDB: %w", err)
		}
		p.onClose(func() { db.Close() })
		p.state, p.keyTable, p.views = db, db, db
		return nil
	}
	var lasting []storeid.Database // what cannot be rebuilt
	for _, f := range []struct {
		name, holds string
		sync        sqlite.Sync
		to          *docstore.Store
	}{
		{"state.db", "the agents, rights and positions", sqlite.Full, &p.state},
		{"keys.db", "the keys without which nothing can be read", sqlite.Full, &p.keyTable},
		{"views.db", "", sqlite.Normal, &p.views}, // its checkpoint is in the same transaction
	} {
		db, err := sqlite.Open(ctx, p.dir.Path(f.name), sqlite.Options{Sync: f.sync})
		if err != nil && f.sync == sqlite.Normal {
			err = fmt.Errorf("%w (it holds read models alone: move it away, and its -wal and -shm, and it is built anew)", err)
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", f.name, err)
		}
		p.onClose(func() { db.Close() })
		*f.to = db
		if f.sync == sqlite.Full {
			lasting = append(lasting, storeid.Database{Name: f.name, Holds: f.holds, Store: db})
		}
	}
	return storeid.Check(ctx, p.dir, lasting...)
}

func (p *platform) openKeys(ctx context.Context) error {
	kek, err := crypt.LoadKEK(ctx, p.keyTable, p.dir.Path())
	if err != nil {
		return err
	}
	opts := crypt.Options{Recheck: -1} // nobody else uses the table
	if p.cfg.Mongo.URI != "" {
		opts.Recheck = 0
	}
	if p.keys, err = crypt.NewKeyring(ctx, p.keyTable, kek, opts); err != nil {
		return err
	}
	if p.blobs, err = blob.NewDir(p.dir.Path("blobs"), p.keys); err != nil {
		return err
	}
	p.onClose(func() { p.blobs.Close() })
	return nil
}

func (p *platform) openStreams(ctx context.Context) error {
	existing := false
	if p.cfg.NATS.URL == "" {
		dir := p.dir.Path("nats")
		if _, err := os.Stat(filepath.Join(dir, "jetstream")); err == nil {
			existing = true
		}
		var err error
		if p.embedded, err = natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: dir, Listen: p.cfg.NATS.Listen, Log: p.log}); err != nil {
			return err
		}
		p.onClose(p.embedded.Close)
		if p.bus, err = p.embedded.Connect(ctx); err != nil {
			return err
		}
	} else {
		var err error
		if p.bus, err = natsbus.Connect(ctx, p.cfg.NATS.URL, p.cfg.NATS.Creds); err != nil {
			return fmt.Errorf("connect to NATS: %w", err)
		}
	}
	p.onClose(func() { p.bus.Close(context.WithoutCancel(ctx)) })
	if err := jetstore.CheckServer(p.bus.NC.ConnectedServerVersion()); err != nil {
		return err
	}
	if err := p.bus.Declare(ctx, natsbus.Config{InPartitions: partitions, Replicas: p.cfg.NATS.Replicas}); err != nil {
		return err
	}
	var err error
	if p.events, err = jetstore.Open(ctx, p.bus.JS, jetstore.Config{Partitions: partitions, Replicas: p.cfg.NATS.Replicas, Existing: existing}); err != nil {
		return err
	}
	p.onClose(func() { p.events.Close() })
	if p.intake, err = intake.New(p.bus, p.keys, p.blobs, intake.Config{Partitions: partitions, Metrics: p.metrics}); err != nil {
		return err
	}
	return nil
}

// openAudit comes last: it is closed, and with that on disk, before the bus and the state.
func (p *platform) openAudit(ctx context.Context) error {
	var err error
	days := p.cfg.Audit.AddressDays
	if days == 0 {
		days = -1 // none
	}
	p.audit, err = audit.Open(ctx, audit.Config{Tenant: p.cfg.Tenant, AddressDays: days}, audit.Deps{
		JS: p.bus.JS, State: p.state, Keys: p.keys, Log: p.log.With("part", "audit"), Metrics: p.metrics,
	})
	if err != nil {
		return err
	}
	p.onClose(p.audit.Close)
	return nil
}

// checks of readiness: the log takes writes, and the stores answer.
func (p *platform) checks() []check {
	return []check{
		{"nats", func(ctx context.Context) error {
			if !p.bus.NC.IsConnected() {
				return errors.New("not connected")
			}
			if p.embedded != nil && !p.embedded.Server().JetStreamConfig().SyncAlways {
				return errors.New("the server does not sync every write")
			}
			if p.embedded != nil {
				if err := p.embedded.WriteError(); err != nil {
					return err
				}
			}
			_, err := p.bus.JS.AccountInfo(ctx)
			return err
		}},
		{"state", p.state.Ping},
		{"keys", p.keyTable.Ping},
		{"views", p.views.Ping},
	}
}
