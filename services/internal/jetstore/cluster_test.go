package jetstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

// startCluster is three servers on the loopback device and a client of the first.
func startCluster(t *testing.T) []running {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("Listen = %v", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			t.Fatalf("Close = %v", err)
		}
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var nodes []running
	for i, port := range ports {
		nodes = append(nodes, startServer(t, t.TempDir(), func(o *server.Options) {
			o.ServerName = fmt.Sprintf("n%d", i)
			o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}
			o.Routes = routes
			o.DontListen, o.Host, o.Port = false, "127.0.0.1", server.RANDOM_PORT
		}))
	}
	eventually(t, func(context.Context) error {
		for _, n := range nodes {
			if n.srv.JetStreamIsLeader() && len(n.srv.JetStreamClusterPeers()) == len(nodes) {
				return nil
			}
		}
		return errors.New("cluster has no leader that sees all members")
	})
	return nodes
}

// eventually repeats what may fail while a cluster elects leaders.
func eventually(t *testing.T, try func(context.Context) error) {
	t.Helper()
	ctx := timeout(t)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("still failing: %v", err)
		case <-tick.C:
		}
	}
}

// leader finds the member that leads a stream.
func leader(t *testing.T, nodes []running, stream string) int {
	t.Helper()
	for i, n := range nodes {
		if n.srv.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
			return i
		}
	}
	t.Fatalf("nobody leads %s", stream)
	return 0
}

// A replicated stream checks expectations and duplicates in another order than
// a single one, and answers with other codes.
func TestReplicatedStore(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	ctx := timeout(t)
	cfg := jetstore.Config{Partitions: 2, Replicas: 3}
	s := openEventually(t, nodes[0].js, cfg)

	const writers, rounds = 8, 10
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			stream := fmt.Sprintf("customer.c%d", w)
			var last uint64
			for i := range rounds {
				a := eventstoretest.Make(stream, fmt.Sprintf("i%d", i), last)
				first, again := s.Append(ctx, a)[0], s.Append(ctx, a)[0]
				if first.Err != nil || again.Err != nil || !again.Duplicate || again.Seq != first.Seq {
					t.Errorf("%s: append %+v and repeat %+v", stream, first, again)
					return
				}
				last = first.Seq
			}
			r := s.Append(ctx, eventstoretest.Make(stream, "stale", 0))[0]
			if !errors.As(r.Err, new(*eventstore.ConflictError)) {
				t.Errorf("%s: stale append = %+v, want a conflict", stream, r)
			}
		})
	}
	all.Wait()

	// The leader of a partition dies; what was acknowledged is there and writing goes on.
	dead := leader(t, nodes, "EVT-0")
	alive := (dead + 1) % 3
	nodes[dead].stop()
	cfg.Existing = true
	s = openEventually(t, nodes[alive].js, cfg)
	eventually(t, func(ctx context.Context) error {
		total := 0
		for p := range 2 {
			commits, err := s.Read(ctx, p, 0, 1000)
			if err != nil {
				return err
			}
			total += len(commits)
		}
		if total != writers*rounds {
			return fmt.Errorf("%d commits survived, want %d", total, writers*rounds)
		}
		return nil
	})
	eventually(t, func(ctx context.Context) error {
		return s.Append(ctx, eventstoretest.Make("customer.after", "a", 0))[0].Err
	})
}

// openEventually leaves closing to the connection: its server may be gone by then.
func openEventually(t *testing.T, js jetstream.JetStream, cfg jetstore.Config) (s *jetstore.Store) {
	t.Helper()
	eventually(t, func(ctx context.Context) (err error) {
		s, err = jetstore.Open(ctx, js, cfg)
		return err
	})
	return s
}
