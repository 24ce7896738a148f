package audit_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

func benchLog(b *testing.B) (*audit.Log, context.Context) {
	ctx := actor.With(b.Context(), actor.Actor{ID: "01jbn3k2mq8h4v7t9x0c5d6e1f", Kind: actor.KindAgent, From: "192.0.2.7"})
	bus := natsbustest.New(b)
	db, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	l, err := audit.Open(ctx, audit.Config{}, audit.Deps{JS: bus.JS, State: db, Keys: crypt.NewMemory()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.Close)
	return l, ctx
}

// BenchmarkRead is what a recorded read costs who reads: "first" goes to the
// log, "again" is a repeat.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"first", "again"} {
		b.Run(name, func(b *testing.B) {
			l, ctx := benchLog(b)
			i := 0
			for b.Loop() {
				e := audit.Entry{Action: audit.ReadTimeline, Customer: "01jbn3k2mq8h4v7t9x0c5d6e1g"}
				if name == "first" {
					e.Action, e.Object = audit.DownloadFile, fmt.Sprint(i)
				}
				if err := l.Record(ctx, e); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// BenchmarkChange is an entry that is on disk when RecordSync returns.
func BenchmarkChange(b *testing.B) {
	l, ctx := benchLog(b)
	for b.Loop() {
		if err := l.RecordSync(ctx, audit.Entry{Action: audit.Login}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify goes through 10,000 entries.
func BenchmarkVerify(b *testing.B) {
	l, ctx := benchLog(b)
	for i := range 10_000 {
		if err := l.Record(ctx, audit.Entry{Action: audit.DownloadFile, Customer: "01jbn3k2mq8h4v7t9x0c5d6e1g", Object: fmt.Sprint(i)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.RecordSync(ctx, audit.Entry{Action: audit.Logout}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := l.Verify(ctx); err != nil || r.First != nil || r.Entries != 10_001 {
			b.Fatal(r, err)
		}
	}
}
