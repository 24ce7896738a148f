package rebuild_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/pkg/projection"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/rebuild"
	"github.com/weftline/weftline/services/conversation/internal/verify"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

const partitions = 3

func openStore(t *testing.T) docstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A rebuild that is killed twice and goes on, while messages come in and
// somebody reads all the time, ends with what was served before.
func TestRebuildWhileServing(t *testing.T) {
	t.Parallel()
	store, keys, log := openStore(t), crypt.NewMemory(), slog.New(slog.DiscardHandler)
	h := historytest.New(partitions, keys)
	live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Fill(t, 60)
	runner, err := projection.New(projection.Config{}, h.Store, live)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { _ = runner.Run(ctx) })
	if err := runner.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}

	reader := query.New(live, h.Store, codec.Decode, keys, historytest.Tenant)
	var reads atomic.Int64
	all.Go(func() {
		for ctx.Err() == nil {
			page, err := reader.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 200})
			if ctx.Err() != nil {
				return
			}
			if err != nil || len(page.GetConversations()) < 60 {
				t.Errorf("while rebuilding: %d conversations, %v", len(page.GetConversations()), err)
				return
			}
			reads.Add(1)
		}
	})

	deps := rebuild.Deps{Store: store, Events: h.Store, Keys: keys, Decode: codec.Decode, Live: live, Log: log}
	for range 2 {
		killed, kill := context.WithCancel(ctx)
		deps.Progress = func(rebuild.Progress) { kill() }
		if _, err := rebuild.Run(killed, deps); !errors.Is(err, context.Canceled) {
			t.Fatalf("killed rebuild: %v", err)
		}
		h.Fill(t, 5)
	}
	deps.Progress = nil
	report, err := rebuild.Run(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Resumed || report.Generation != 2 {
		t.Fatalf("report %+v", report)
	}
	p, release := live.Acquire()
	release()
	if p.Generation() != 2 {
		t.Fatalf("serves generation %d", p.Generation())
	}
	h.Fill(t, 5)
	if err := runner.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	result, err := verify.Run(ctx, verify.Deps{Events: h.Store, Keys: keys, Decode: codec.Decode, Live: live, Scratch: openStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	if !result.OK() || result.Conversations != 75 || result.Documents == 0 {
		t.Fatalf("verify: %+v %v", result, result.First)
	}
	if reads.Load() == 0 {
		t.Fatal("nobody read")
	}
	if docs, err := store.List(ctx, readmodel.NamesOf(1).Timeline, docstore.Query{Index: readmodel.ByCustomer, Prefix: []any{h.Customers[0].ID}, Limit: 1}); err == nil && len(docs) > 0 {
		t.Fatal("the old generation is still there")
	}
}

// A process that did not rebuild follows the switch.
func TestOtherProcessNotices(t *testing.T) {
	t.Parallel()
	store, keys, log := openStore(t), crypt.NewMemory(), slog.New(slog.DiscardHandler)
	h := historytest.New(partitions, keys)
	other, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Fill(t, 10)
	if err := projection.Replay(t.Context(), h.Store, other); err != nil {
		t.Fatal(err)
	}
	if switched, err := other.Refresh(t.Context()); switched || err != nil {
		t.Fatalf("switched for nothing: %v %v", switched, err)
	}
	if _, err := rebuild.Run(t.Context(), rebuild.Deps{Store: store, Events: h.Store, Keys: keys, Decode: codec.Decode, Log: log}); err != nil {
		t.Fatal(err)
	}
	if switched, err := other.Refresh(t.Context()); !switched || err != nil {
		t.Fatalf("did not follow: %v %v", switched, err)
	}
	reader := query.New(other, h.Store, codec.Decode, keys, historytest.Tenant)
	page, err := reader.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	if err != nil || len(page.GetConversations()) != 10 {
		t.Fatalf("%d conversations, %v", len(page.GetConversations()), err)
	}
}

// Where a backup came without them, nobody is shown half of the read models.
func TestMissingReadModelsAreBuiltBeforeTheyServe(t *testing.T) {
	t.Parallel()
	store, keys, log := openStore(t), crypt.NewMemory(), slog.New(slog.DiscardHandler)
	h := historytest.New(partitions, keys)
	h.Fill(t, 10)
	if _, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, log); !errors.Is(err, readmodel.ErrRebuild) {
		t.Fatalf("served beside a log that is not empty: %v", err)
	}
	if _, err := rebuild.Run(t.Context(), rebuild.Deps{Store: store, Events: h.Store, Keys: keys, Decode: codec.Decode, Log: log}); err != nil {
		t.Fatal(err)
	}
	live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, log)
	if err != nil {
		t.Fatal(err)
	}
	page, err := query.New(live, h.Store, codec.Decode, keys, historytest.Tenant).ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	if err != nil || len(page.GetConversations()) != 10 {
		t.Fatalf("%d conversations, %v", len(page.GetConversations()), err)
	}
}
