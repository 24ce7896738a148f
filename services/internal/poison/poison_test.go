package poison_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
	"github.com/weftline/weftline/services/internal/poison"
)

// await waits until n messages are in POISON.
func await(ctx context.Context, t *testing.T, q *poison.Queue, n int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := q.List(ctx, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == n {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d messages in poison, want %d", len(got), n)
		case <-tick.C:
		}
	}
}

// TestAfterAFix is the way of an input that cannot be read: it fails, is set
// aside, is replayed once the parser is fixed, and another one is skipped.
func TestAfterAFix(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(actor.With(context.Background(), actor.Actor{ID: "agent-7"}), time.Minute)
	t.Cleanup(cancel)
	bus := natsbustest.New(t)
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys := crypt.NewMemory()
	blobs, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	in, err := intake.New(bus, keys, blobs, intake.Config{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := poison.New(ctx, bus, db)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := q.List(ctx, 0, 10); err != nil || len(got) != 0 {
		t.Fatalf("empty: %v %v", got, err)
	}

	var fixed atomic.Bool
	var read []string
	sub, err := natsbus.NewSubscriber(bus, natsbus.SubscriberConfig{Durable: "ingest", Streams: natsbus.InStreams(4)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := natsbus.NewRouter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan string, 10)
	r.AddConsumerHandler("ingest", "in.>", sub, func(m *message.Message) error {
		got, err := intake.Decode(m.Context(), keys, blobs, m.Metadata, m.Payload)
		if err != nil {
			return err
		}
		if !fixed.Load() {
			return natsbus.Permanent(errors.New("parser: unexpected end"))
		}
		handled <- string(got.Raw.Body) + " from " + m.Metadata.Get(natsbus.ReplayOf)
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })

	for i, id := range []string{"one", "two"} {
		if err := in.Accept(ctx, channel.Raw{Channel: "email", Inbox: "support", ProviderID: id, Body: []byte(id)}); err != nil {
			t.Fatal(err)
		}
		await(ctx, t, q, i+1)
	}
	all, err := q.List(ctx, 0, 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("list: %v %v", all, err)
	}
	shown, err := q.Show(ctx, all[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[0], shown); d != "" {
		t.Fatalf("list and show: %s", d)
	}
	if shown.Reason != "parser: unexpected end" || shown.Consumer != "ingest" || shown.Attempts != 1 || shown.StreamSeq == 0 || shown.Size == 0 || shown.At.IsZero() {
		t.Fatalf("%+v", shown)
	}
	if page, err := q.List(ctx, all[0].Seq, 1); err != nil || len(page) != 1 || page[0].Seq != all[1].Seq {
		t.Fatalf("page: %v %v", page, err)
	}

	fixed.Store(true)
	if err := q.Replay(ctx, all[0].Seq); err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-handled:
		read = append(read, body)
	case <-ctx.Done():
		t.Fatal("the replayed input is not handled")
	}
	from := fmt.Sprintf("in/%s/%d", strings.TrimPrefix(shown.Stream, "IN-"), shown.StreamSeq)
	if d := cmp.Diff([]string{"one from " + from}, read); d != "" {
		t.Fatal(d)
	}
	if err := q.Skip(ctx, all[1].Seq, " "); err == nil {
		t.Fatal("skipped without a reason")
	}
	if err := q.Skip(ctx, all[1].Seq, "spam"); err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if err := q.Replay(ctx, e.Seq); !errors.Is(err, poison.ErrNotFound) {
			t.Fatalf("twice: %v", err)
		}
	}
	if got, err := q.List(ctx, 0, 10); err != nil || len(got) != 0 {
		t.Fatalf("emptied: %v %v", got, err)
	}
	audits, next, err := q.Audits(ctx, "", 10)
	if err != nil || next != "" {
		t.Fatal(err, next)
	}
	want := []poison.Audit{
		{Action: "skip", Seq: all[1].Seq, Subject: all[1].Subject, Error: "parser: unexpected end", Reason: "spam", Who: "agent-7"},
		{Action: "replay", Seq: all[0].Seq, Subject: all[0].Subject, Error: "parser: unexpected end", Who: "agent-7"},
	}
	if d := cmp.Diff(want, audits, cmpopts.IgnoreFields(poison.Audit{}, "AtMicros")); d != "" {
		t.Fatal(d)
	}
}
