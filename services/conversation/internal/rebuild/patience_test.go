package rebuild_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/rebuild"
	"github.com/weftline/weftline/services/internal/crypt"
)

// busy is a log that does not answer every so many reads, or never again.
type busy struct {
	eventstore.Store
	every int64
	reads atomic.Int64
}

func (b *busy) Read(ctx context.Context, partition int, from uint64, limit int) ([]eventstore.Commit, error) {
	if b.reads.Add(1)%b.every == 0 {
		return nil, eventstore.ErrUnavailable
	}
	return b.Store.Read(ctx, partition, from, limit)
}

func TestABusyLogIsWaitedFor(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	h := historytest.New(partitions, keys)
	h.Fill(t, 20)
	log := &busy{Store: h.Store, every: 2}
	deps := rebuild.Deps{Store: store, Events: log, Keys: keys, Decode: codec.Decode, Log: slog.New(slog.DiscardHandler), Wait: time.Millisecond}
	report, err := rebuild.Run(t.Context(), deps)
	if err != nil || report.Generation != 1 || report.Commits == 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if log.reads.Load() < 2 {
		t.Error("the log was never busy")
	}
}

func TestALogThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	h := historytest.New(partitions, keys)
	h.Fill(t, 5)
	log := &busy{Store: h.Store, every: 1}
	deps := rebuild.Deps{Store: store, Events: log, Keys: keys, Decode: codec.Decode, Log: slog.New(slog.DiscardHandler), Wait: time.Millisecond}
	if _, err := rebuild.Run(t.Context(), deps); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("a log that never answers: %v", err)
	}
}
