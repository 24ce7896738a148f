package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// EmbeddedConfig says where the embedded server keeps its data and whether it
// can be reached from outside of the process.
type EmbeddedConfig struct {
	Dir      string // JetStream's directory; created when missing
	MaxStore int64  // bytes on disk, default 64 GiB
	// Listen is an optional host:port for integrators' NATS clients; empty: in
	// process only. Port 0 chooses one, see Embedded.URL. Nobody can log in
	// there before Admit. It is not encrypted: keep it on a private network.
	Listen string
	Log    *slog.Logger
}

// Embedded is a NATS server with JetStream in this process. Whatever it has
// acknowledged is on disk: every write is synced, which no setting turns off.
type Embedded struct {
	server *server.Server
	gate   *gate // nil: in process only
	broken *broken
}

// internalUser is who the hub itself is on its own server.
const internalUser = "weftline"

// inboxPrefix keeps the hub's answers apart from what clients may subscribe to.
const inboxPrefix = "_WEFTLINE"

// StartEmbedded starts the server and waits until it can be used. A stream
// that is on disk and was not loaded (a wrong encryption key, a damaged file)
// is an error, because the server alone would go on without it.
func StartEmbedded(cfg EmbeddedConfig) (*Embedded, error) {
	if cfg.Dir == "" {
		return nil, errors.New("embedded nats: dir is empty")
	}
	if cfg.MaxStore <= 0 {
		cfg.MaxStore = 64 << 30
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	opts := &server.Options{
		ServerName:        "weftline",
		JetStream:         true,
		StoreDir:          cfg.Dir,
		JetStreamMaxStore: cfg.MaxStore,
		// With Options the default would be an fsync every two minutes and
		// acknowledgements before it.
		SyncAlways: true,
		DontListen: true,
		NoSigs:     true,
	}
	e := &Embedded{broken: newBroken()}
	if cfg.Listen != "" {
		e.gate = newGate(cfg.Log)
		if err := listen(opts, cfg.Listen, e.gate); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("create embedded nats server: %w", err)
	}
	s.SetLoggerV2(serverLog{cfg.Log, e.broken}, false, false, false)
	e.server = s
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		e.Close()
		return nil, errors.New("embedded nats server was not ready within 30s")
	}
	if !s.JetStreamEnabled() {
		e.Close()
		return nil, fmt.Errorf("embedded nats server started without JetStream; is %s writable", cfg.Dir)
	}
	if err := e.checkLoaded(cfg.Dir); err != nil {
		e.Close()
		return nil, err
	}
	if e.gate != nil {
		if err := e.gate.open(s); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

// listen opens the server to those whom the gate lets in.
func listen(opts *server.Options, address string, g *gate) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("embedded nats: listen %q: %w", address, err)
	}
	p, err := strconv.Atoi(port)
	if err != nil || p < 0 || p > 65535 {
		return fmt.Errorf("embedded nats: listen %q: port must be 0 to 65535", address)
	}
	if p == 0 {
		p = server.RANDOM_PORT
	}
	opts.DontListen, opts.Host, opts.Port = false, host, p
	opts.CustomClientAuthentication = g
	opts.AuthTimeout = (loginTimeout + 2*time.Second).Seconds()
	return nil
}

// checkLoaded compares the streams on disk with the streams that were loaded.
func (e *Embedded) checkLoaded(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*"))
	if err != nil {
		return fmt.Errorf("look for streams in %s: %w", dir, err)
	}
	info, err := e.server.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return fmt.Errorf("ask embedded nats server for its streams: %w", err)
	}
	loaded := make(map[string]bool)
	for _, a := range info.AccountDetails {
		for _, s := range a.Streams {
			loaded[s.Name] = true
		}
	}
	for _, path := range found {
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			continue
		}
		// What was being created when the process died has no meta file yet.
		if _, err := os.Stat(filepath.Join(path, "meta.inf")); err != nil {
			continue
		}
		if name := filepath.Base(path); !loaded[name] {
			return fmt.Errorf("stream %s is on disk and was not loaded: wrong encryption key, or damaged", name)
		}
	}
	return nil
}

// Connect opens an in-process connection.
func (e *Embedded) Connect(ctx context.Context, opts ...nats.Option) (*Bus, error) {
	opts = append([]nats.Option{nats.InProcessServer(e.server), nats.CustomInboxPrefix(inboxPrefix)}, opts...)
	if e.gate != nil {
		opts = append(opts, nats.UserInfo(internalUser, e.gate.password))
	}
	return Connect(ctx, "", "", opts...)
}

// URL is where clients connect to; empty when the server is in process only.
func (e *Embedded) URL() string {
	if e.gate == nil {
		return ""
	}
	return e.server.ClientURL()
}

// Server gives checks access to the running server.
func (e *Embedded) Server() *server.Server { return e.server }

// Broken is closed when a stream could not be written, for want of space most
// often. Every later write to it fails until the server is started anew;
// WriteError says why.
func (e *Embedded) Broken() <-chan struct{} { return e.broken.known }

// WriteError is why Broken is closed; nil before.
func (e *Embedded) WriteError() error { return e.broken.first() }

// Close stops the server and waits until its files are closed. Close the buses first.
func (e *Embedded) Close() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}
