package jetstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

func TestRestartKeepsEveryAcknowledgedCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := jetstore.Config{Partitions: 2}
	srv := startServer(t, dir)
	s := open(t, srv.js, cfg)
	want := map[string][]uint64{}
	for i := range 5 {
		stream := fmt.Sprintf("customer.c%d", i)
		want[stream] = eventstoretest.Fill(t, s, stream, 4)
	}
	if err := s.SaveSnapshot(timeout(t), eventstoretest.Tenant, "customer.c0", eventstore.Snapshot{Seq: 7, State: []byte("x"), V: 1}); err != nil {
		t.Fatalf("SaveSnapshot = %v", err)
	}
	srv.stop()

	s = open(t, startServer(t, dir).js, jetstore.Config{Partitions: 2, Existing: true})
	for stream, seqs := range want {
		var got []uint64
		for c, err := range s.Load(timeout(t), eventstoretest.Tenant, stream, 0) {
			if err != nil {
				t.Fatalf("Load = %v", err)
			}
			got = append(got, c.Seq)
		}
		if fmt.Sprint(got) != fmt.Sprint(seqs) {
			t.Errorf("%s after restart = %v, want %v", stream, got, seqs)
		}
		// The author never got the answer and repeats.
		last := len(seqs) - 1
		r := s.Append(timeout(t), eventstoretest.Make(stream, fmt.Sprintf("%s/%d", stream, last), seqs[last-1]))[0]
		if r.Err != nil || !r.Duplicate || r.Seq != seqs[last] {
			t.Errorf("repeat after restart = %+v, want Duplicate at %d", r, seqs[last])
		}
	}
	if _, ok, err := s.LoadSnapshot(timeout(t), eventstoretest.Tenant, "customer.c0"); !ok || err != nil {
		t.Errorf("LoadSnapshot after restart = %v, %v", ok, err)
	}
}

func TestOpenRefusesAnotherNumberOfPartitions(t *testing.T) {
	t.Parallel()
	js := startServer(t, t.TempDir()).js
	open(t, js, jetstore.Config{Partitions: 3})
	open(t, js, jetstore.Config{Partitions: 3}) // twice is fine
	for _, n := range []int{1, 2, 4, 8} {
		if _, err := jetstore.Open(timeout(t), js, jetstore.Config{Partitions: n}); err == nil || !strings.Contains(err.Error(), "fixed at creation") {
			t.Errorf("Open(%d of 3 partitions) = %v, want a refusal", n, err)
		}
	}
	for _, n := range []int{0, -1, 65} {
		if _, err := jetstore.Open(timeout(t), js, jetstore.Config{Partitions: n}); err == nil {
			t.Errorf("Open(%d partitions): no error", n)
		}
	}
}

func TestOpenRefusesALogThatLostAPartition(t *testing.T) {
	t.Parallel()
	cfg := jetstore.Config{Partitions: 2}
	for name, lose := range map[string][]string{
		"one":                     {"EVT-1"},
		"the first":               {"EVT-0"},
		"one and the snapshots":   {"EVT-1", "KV_snap"},
		"all but the snapshots":   {"EVT-0", "EVT-1"},
		"all, but it is expected": {"EVT-0", "EVT-1", "KV_snap"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js := startServer(t, t.TempDir()).js
			open(t, js, cfg)
			for _, stream := range lose {
				if err := js.DeleteStream(timeout(t), stream); err != nil {
					t.Fatalf("DeleteStream(%s) = %v", stream, err)
				}
			}
			again := cfg
			again.Existing = len(lose) == 3
			if _, err := jetstore.Open(timeout(t), js, again); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("Open = %v, want a refusal", err)
			}
		})
	}
}

func TestOpenFinishesACreationThatWasInterrupted(t *testing.T) {
	t.Parallel()
	js := startServer(t, t.TempDir()).js
	cfg := jetstore.Config{Partitions: 3, Replicas: 1}
	if _, err := js.CreateStream(timeout(t), jetstore.Settings(0, cfg)); err != nil {
		t.Fatalf("CreateStream = %v", err)
	}
	s := open(t, js, cfg)
	for p := range 3 {
		if h, err := s.Head(timeout(t), p); h != 0 || err != nil {
			t.Errorf("Head(%d) = %d, %v", p, h, err)
		}
	}
}

func TestOpenRefusesUnsafeSettings(t *testing.T) {
	t.Parallel()
	cfg := jetstore.Config{Partitions: 1, Replicas: 1}
	for want, change := range map[string]func(*jetstream.StreamConfig){
		"persist_mode": func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"not file":     func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage; c.Compression = 0 },
		"a limit":      func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 10 },
		"no_ack":       func(c *jetstream.StreamConfig) { c.NoAck = true },
		"erasure":      func(c *jetstream.StreamConfig) { c.DenyPurge = true },
		"retention":    func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"1 MiB":        func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 },
		"subjects":     func(c *jetstream.StreamConfig) { c.Subjects = []string{"evt.>"} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			js := startServer(t, t.TempDir()).js
			sc := jetstore.Settings(0, cfg)
			change(&sc)
			if _, err := js.CreateStream(timeout(t), sc); err != nil {
				t.Fatalf("CreateStream = %v", err)
			}
			if _, err := jetstore.Open(timeout(t), js, cfg); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Open = %v, want a refusal that names %q", err, want)
			}
		})
	}
}

func TestWrongEncryptionKeyIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	encrypted := func(key string) func(*server.Options) {
		return func(o *server.Options) { o.JetStreamKey, o.JetStreamCipher = key, server.AES }
	}
	cfg := jetstore.Config{Partitions: 2}
	srv := startServer(t, dir, encrypted("right"))
	eventstoretest.Fill(t, open(t, srv.js, cfg), "customer.c1", 3)
	srv.stop()

	srv = startServer(t, dir, encrypted("wrong"))
	cfg.Existing = true
	if _, err := jetstore.Open(timeout(t), srv.js, cfg); err == nil || !strings.Contains(err.Error(), "encryption key") {
		t.Errorf("Open = %v, want a refusal that names the key", err)
	}
	srv.stop()

	s := open(t, startServer(t, dir, encrypted("right")).js, cfg)
	r := s.Append(timeout(t), eventstoretest.Make("customer.c1", "late", 0))[0]
	if !errors.As(r.Err, new(*eventstore.ConflictError)) {
		t.Errorf("Append = %+v, want a conflict with what was there", r)
	}
}
