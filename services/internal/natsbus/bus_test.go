package natsbus_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition, with a deadline.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("still waiting for: %s", what)
		case <-tick.C:
		}
	}
}

func TestDeclareRemembers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, bus := natsbustest.Start(t, dir)
	ctx := within(t, time.Minute)
	if !e.Server().JetStreamConfig().SyncAlways {
		t.Fatal("the server acknowledges before it syncs")
	}
	if err := bus.Declare(ctx, natsbus.Config{InPartitions: 4}); err != nil {
		t.Fatalf("declare again: %v", err)
	}
	if n, err := bus.InPartitions(ctx); n != 4 || err != nil {
		t.Fatalf("partitions: %d, %v", n, err)
	}
	if err := bus.Declare(ctx, natsbus.Config{InPartitions: 8}); err == nil || !strings.Contains(err.Error(), "fixed at creation") {
		t.Fatalf("another number of partitions: %v", err)
	}
	if err := bus.JS.DeleteStream(ctx, "IN-2"); err != nil {
		t.Fatal(err)
	}
	if err := bus.Declare(ctx, natsbus.Config{}); err == nil || !strings.Contains(err.Error(), "IN-2 is missing") {
		t.Fatalf("a stream is missing: %v", err)
	}
}

func TestDeclareGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	_, bus := natsbustest.Start(t, t.TempDir())
	ctx := within(t, time.Minute)
	// The last stream marks completion: without it the creation was cut short.
	for _, name := range []string{"POISON", "PUB", "IN-3"} {
		if err := bus.JS.DeleteStream(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := bus.Declare(ctx, natsbus.Config{}); err != nil {
		t.Fatalf("go on: %v", err)
	}
}

// A hub of before there was an audit log gets one; one that can be emptied is refused.
func TestAuditStreamComesLater(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	ctx := within(t, time.Minute)
	if err := bus.JS.DeleteStream(ctx, "AUDIT"); err != nil {
		t.Fatal(err)
	}
	if err := bus.Declare(ctx, natsbus.Config{}); err != nil {
		t.Fatalf("declare without AUDIT: %v", err)
	}
	s, err := bus.JS.Stream(ctx, "AUDIT")
	if err != nil {
		t.Fatal(err)
	}
	loose := s.CachedInfo().Config
	loose.DenyPurge = false
	if err := bus.JS.DeleteStream(ctx, "AUDIT"); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.JS.CreateStream(ctx, loose); err != nil {
		t.Fatal(err)
	}
	if err := bus.Declare(ctx, natsbus.Config{}); err == nil || !strings.Contains(err.Error(), "AUDIT") {
		t.Fatalf("a log that can be emptied: %v", err)
	}
}

func TestStreamThatDoesNotLoadIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, bus := natsbustest.Start(t, dir)
	bus.NC.Close()
	e.Close()
	meta, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "IN-1", "meta.inf"))
	if err != nil || len(meta) != 1 {
		t.Fatalf("meta file: %v %v", meta, err)
	}
	if err := os.WriteFile(meta[0], []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: dir})
	if err == nil {
		again.Close()
		t.Fatal("started without IN-1")
	}
	if !strings.Contains(err.Error(), "IN-1") {
		t.Fatalf("error does not name the stream: %v", err)
	}
}

func TestTimers(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	ctx := within(t, time.Minute)
	sub, err := natsbus.NewSubscriber(bus, natsbus.SubscriberConfig{Durable: "wake", Streams: []string{"TIMERS"}}, quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	fired, err := sub.Subscribe(ctx, natsbus.FiredTopic("wake"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	at := time.Now().Add(700 * time.Millisecond)
	for _, err := range []error{
		bus.Schedule(ctx, "default", "wake", "moved", time.Now().Add(time.Hour), []byte("old")),
		bus.Schedule(ctx, "default", "wake", "gone", at, nil),
		bus.Cancel(ctx, "default", "wake", "gone"),
		bus.Cancel(ctx, "default", "wake", "never-was"),
		bus.Schedule(ctx, "default", "wake", "moved", at, []byte("new")),
		bus.Schedule(ctx, "default", "other", "kind", at, nil),
		bus.Schedule(ctx, "default", "wake", "past", time.Now().Add(-time.Hour), nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for len(got) < 2 {
		var m *message.Message
		select {
		case m = <-fired:
		case <-ctx.Done():
			t.Fatalf("fired: %v", got)
		}
		timer, err := natsbus.ParseFired(m.Metadata.Get(natsbus.MetaSubject))
		if err != nil {
			t.Fatal(err)
		}
		if timer.ID == "moved" && time.Now().Before(at) {
			t.Error("went off early")
		}
		got[timer.ID] = string(m.Payload)
		m.Ack()
	}
	if got["moved"] != "new" {
		t.Fatalf("fired: %v", got)
	}
	if err := bus.Schedule(ctx, "default", "wake", "a.b", at, nil); err == nil || !strings.Contains(err.Error(), "timer id") {
		t.Fatalf("bad token: %v", err)
	}
}
