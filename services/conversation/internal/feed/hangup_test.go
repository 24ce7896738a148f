package feed_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// Events are shared. Somebody whose socket ends while one is made ready for him is no
// reason to warn, and takes nobody's row away.
func TestWhoHangsUpTakesNoRowAway(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys := crypt.NewMemory()
	h := historytest.New(1, keys)
	live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	reader := query.New(live, h.Store, codec.Decode, keys, historytest.Tenant)
	var log bytes.Buffer
	first, hangUp := context.WithCancel(t.Context())
	f, err := feed.New(t.Context(), feed.Config{
		Tenant: historytest.Tenant, Rows: live, Keys: keys, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Place: func(ctx context.Context, row *readmodel.Conversation, shown *inboxv1.Conversation) error {
			hangUp()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return reader.Place(ctx, row, shown)
		},
	}, h.Store, codec.Decode, reader.View(), keys)
	if err != nil {
		t.Fatal(err)
	}
	at, err := f.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Meet(t, channel.Address{Kind: "email", Address: "a@example.org"}, "s", "hello")
	commits, err := h.Store.Read(t.Context(), 0, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), 0, commits); err != nil {
		t.Fatal(err)
	}
	for ev, err := range f.Subscribe(first, at) {
		if err != nil || ev.GetEntry().GetMessage() != nil {
			t.Fatalf("%v, %v after he hung up", ev, err)
		}
	}
	if first.Err() == nil {
		t.Fatal("no row was made ready")
	}
	for ev, err := range f.Subscribe(t.Context(), at) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.GetEntry().GetMessage() == nil {
			continue
		}
		if ev.GetConversation() == nil {
			t.Error("another's event has no row")
		}
		break
	}
	if strings.Contains(log.String(), "WARN") {
		t.Error(log.String())
	}
}
