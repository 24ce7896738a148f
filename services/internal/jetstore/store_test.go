package jetstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

func TestStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(t *testing.T) eventstoretest.Opened {
		s := open(t, startServer(t, t.TempDir()).js, jetstore.Config{Partitions: 2})
		return eventstoretest.Opened{Store: s, Snapshots: s}
	})
}

// running is a real server in this process and a client of it.
type running struct {
	srv *server.Server
	js  jetstream.JetStream
}

func startServer(t testing.TB, dir string, options ...func(*server.Options)) running {
	t.Helper()
	o := &server.Options{
		ServerName: "test", JetStream: true, StoreDir: dir, DontListen: true, NoSigs: true, NoLog: true, SyncAlways: true,
	}
	for _, change := range options {
		change(o)
	}
	srv, err := server.NewServer(o)
	if err != nil {
		t.Fatalf("NewServer = %v", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		t.Fatal("server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		t.Fatalf("Connect = %v", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("jetstream.New = %v", err)
	}
	r := running{srv: srv, js: js}
	t.Cleanup(r.stop)
	return r
}

func (r running) stop() {
	r.js.Conn().Close()
	r.srv.Shutdown()
	r.srv.WaitForShutdown()
}

func open(t testing.TB, js jetstream.JetStream, cfg jetstore.Config) *jetstore.Store {
	t.Helper()
	s, err := jetstore.Open(timeout(t), js, cfg)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
