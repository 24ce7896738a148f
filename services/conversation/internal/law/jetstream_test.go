package law_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/services/internal/jetstore"
)

// TestLawsOnJetStream: the same histories against the real store, in a smaller
// number. A server in this process, one for each history.
func TestLawsOnJetStream(t *testing.T) {
	t.Parallel()
	histories := 3
	if os.Getenv("WEFTLINE_TEST_FULL") != "" {
		histories = 100
	}
	for seed := range histories {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorldOn(t, randomSource{rand.New(rand.NewPCG(uint64(seed), 3))}, faults{}, onJetStream(t))
			w.run(60)
			w.finish()
			for name, law := range map[string]func(*world) error{
				"once": (*world).once, "order": (*world).inOrder, "answers": (*world).whereAsked,
				"heads": (*world).heads, "erasure": (*world).shredded, "twice": (*world).twice,
			} {
				if err := law(w); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, w.report())
				}
			}
			if len(w.made) == 0 || len(w.made) != len(w.all()) {
				t.Errorf("%d commits were made, %d are there", len(w.made), len(w.all()))
			}
		})
	}
}

func onJetStream(t *testing.T) store {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		ServerName: "law", JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoSigs: true, NoLog: true, SyncAlways: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jetstore.Open(t.Context(), js, jetstore.Config{Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
