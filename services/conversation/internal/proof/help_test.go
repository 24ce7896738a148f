package proof_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// move appends what MoveHandle writes.
func (w *world) move(t testing.TB, id, from, to string) {
	t.Helper()
	now := func() time.Time { return w.Clock }
	handles := aggregate.New(aggregate.Config{Now: now}, aggregate.Handle(), w.Store, w.Store, slog.New(slog.DiscardHandler))
	_, err := handles.Execute(context.Background(), "default", id, aggregate.Turn[handle.State]{
		ID: "move1", Actor: "ag",
		Decide: func(s handle.State) ([]event.Event, error) {
			if s.MoveID != "" {
				return nil, nil
			}
			return []event.Event{event.HandleMoved{MoveID: "move1", Tenure: s.Tenure + 1, From: from, To: to, ValidFrom: w.Clock, Address: s.Address}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ingestOf is the domain's way in, with the challenges behind it.
func ingestOf(t testing.TB, w *world) *ingest.Handler {
	t.Helper()
	h, err := ingest.New(ingest.Deps{
		Customers: w.Customers, Claims: w.Claims, Keys: w.Keys, Proofs: w.Service,
		Parsers: func(string) (channel.Parser, bool) { return parser{}, true },
		Refs:    w.View, Replies: w.View, Timeline: w.View, NewID: func() string { return "new" }, Now: func() time.Time { return w.Clock },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

type parser struct{}

func (parser) Parse(raw channel.Raw) (items []channel.Item, err error) {
	return items, json.Unmarshal(raw.Body, &items)
}
