package ferrettest_test

import (
	"context"
	"crypto/rand"
	"flag"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/FerretDB/FerretDB/ferretdb"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/docstoretest"
	"github.com/weftline/weftline/services/internal/docstore/mongo"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// An update costs FerretDB a scan of the collection: fewer random histories.
	for name, value := range map[string]string{"rapid.checks": "10", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestWireSmokeOnFerretDB(t *testing.T) {
	uri := ferret(t)
	open := func(t *testing.T) docstore.Store {
		s, err := mongo.Open(t.Context(), uri, mongo.Options{Database: "t" + strings.ToLower(rand.Text()[:12])})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	docstoretest.Run(t, open, docstoretest.Features{
		MaxBatch: 45, // more than about 100 updates in one command stop this server for good
		// Off: Concurrent (it loses updates), Unique (an update that breaks a unique
		// index is answered with an internal error instead of E11000), Atomic and
		// Backup (as on MongoDB).
	})
}

// ferret starts FerretDB on a free port, with its SQLite backend in a directory of the test.
func ferret(t *testing.T) string {
	t.Helper()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Logger:    slog.New(slog.DiscardHandler),
		Handler:   "sqlite",
		SQLiteURL: "file:" + t.TempDir() + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f.MongoDBURI()
}
