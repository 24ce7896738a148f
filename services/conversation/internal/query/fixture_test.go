package query_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/pkg/projection"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

const partitions = 3

type tb interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

func openStore(t testing.TB) docstore.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// shelf is a history with a reader over its projection.
type shelf struct {
	*historytest.History
	live   *readmodel.Live
	reader *query.Reader
}

// newShelf empties the store's read models and begins a history.
func newShelf(t tb, store docstore.Store, keys crypt.Keyring) *shelf {
	t.Helper()
	if err := readmodel.DropGeneration(t.Context(), store, readmodel.NamesOf(1)); err != nil {
		t.Fatal(err)
	}
	h := historytest.New(partitions, keys)
	live := openLive(t, store, keys, h)
	return &shelf{h, live, query.New(live, h.Store, codec.Decode, keys, historytest.Tenant)}
}

func openLive(t tb, store docstore.Store, keys crypt.Keyring, h *historytest.History) *readmodel.Live {
	t.Helper()
	live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// afresh is a reader of what is stored that has nothing in memory.
func (s *shelf) afresh(t tb, keys crypt.Keyring) *query.Reader {
	t.Helper()
	return query.New(openLive(t, s.live.Store(), keys, s.History), s.Store, codec.Decode, keys, historytest.Tenant)
}

// openRing opens the keys of a table, none of them in memory.
func openRing(t tb, table docstore.Store) *crypt.Ring {
	t.Helper()
	ring, err := crypt.NewKeyring(t.Context(), table, bytes.Repeat([]byte{7}, 32), crypt.Options{Recheck: -1})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// catchUp projects everything.
func (s *shelf) catchUp(t tb) {
	t.Helper()
	if err := projection.Replay(t.Context(), s.Store, s.live); err != nil {
		t.Fatal(err)
	}
}
