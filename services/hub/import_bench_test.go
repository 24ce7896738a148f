package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/config"
)

var importMessages = flag.Int("import.messages", 100_000, "how many BenchmarkImport imports, 25 a customer")

// BenchmarkImport imports messages into an empty data directory, imports the same
// file again, and appends as many commits of that size with nothing around
// it: as many streams, as many at once, as many in one call.
func BenchmarkImport(b *testing.B) {
	const messages = 25
	customers := *importMessages / messages
	file := filepath.Join(b.TempDir(), "old.jsonl")
	writeHistory(b, file, customers, messages)
	opened := func(b *testing.B) *hub {
		cfg, err := config.Load("", nil, map[string]string{"data": b.TempDir(), "demo": "off"})
		if err != nil {
			b.Fatal(err)
		}
		h, err := open(b.Context(), cfg, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(h.close)
		return h
	}
	b.Run("import", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			h := opened(b)
			f, err := os.Open(file)
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			b.StartTimer()
			if err := taskImport(b.Context(), h, []string{"-inbox=support"}, f, &out); err != nil {
				b.Fatalf("%v: %s", err, out.String())
			}
			b.StopTimer()
			f.Close()
			b.StartTimer()
		}
		b.ReportMetric(float64(customers*messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("twice", func(b *testing.B) {
		h := opened(b)
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		if err := taskImport(b.Context(), h, []string{"-inbox=support"}, f, io.Discard); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := taskImport(b.Context(), h, []string{"-inbox=support"}, f, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(customers*messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			h := opened(b)
			b.StartTimer()
			floor(b, h, customers, messages+2)
		}
		b.ReportMetric(float64(customers*messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}

// floor appends chains of commits of about an imported message's size.
func floor(b *testing.B, h *hub, streams, commits int) {
	b.Helper()
	body, err := json.Marshal(map[string]string{"body": string(bytes.Repeat([]byte("x"), 900))})
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, 64)
	for s := range streams {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			appends := make([]eventstore.Append, commits)
			for i := range appends {
				appends[i] = eventstore.Append{Tenant: subject.DefaultTenant, Stream: fmt.Sprintf("customer.floor%d", s), Commit: eventstore.Commit{
					ID: fmt.Sprintf("c%d", i), RecordedAt: time.Now().UTC(), Records: []eventstore.Record{{Type: "x.y", V: 1, Data: body}},
				}}
			}
			for _, r := range h.events.Append(b.Context(), appends...) {
				if r.Err != nil {
					b.Error(r.Err)
				}
			}
		})
	}
	all.Wait()
}
