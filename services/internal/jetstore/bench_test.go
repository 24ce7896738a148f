package jetstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/eventstore/eventstoretest"
	"github.com/weftline/weftline/services/internal/jetstore"
)

func openBench(b *testing.B) *jetstore.Store {
	return open(b, startServer(b, b.TempDir()).js, jetstore.Config{Partitions: 4})
}

// kilobyte is an append of about 1.1 KB, the size of a usual message.
func kilobyte(stream, id string, expect uint64) eventstore.Append {
	a := eventstoretest.Make(stream, id, expect)
	text := make([]byte, 0, 1000)
	for len(text) < 900 {
		text = append(text, "all work and no play "...)
	}
	a.Commit.Records[0].Data = fmt.Appendf(nil, `{"text":%q}`, text)
	return a
}

// One commit per call, every writer on a stream of its own: synced commits per second.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := openBench(b)
			var next atomic.Int64
			latencies := make([][]time.Duration, writers)
			var all sync.WaitGroup
			b.ResetTimer()
			for w := range writers {
				all.Go(func() {
					var last uint64
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						begin := time.Now()
						r := s.Append(b.Context(), kilobyte(fmt.Sprintf("customer.w%d", w), fmt.Sprint(i), last))[0]
						if r.Err != nil {
							b.Errorf("Append = %v", r.Err)
							return
						}
						last = r.Seq
						latencies[w] = append(latencies[w], time.Since(begin))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			sorted := slices.Sorted(slices.Values(slices.Concat(latencies...)))
			b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// Many commits in one call, as imports do.
func BenchmarkAppendMany(b *testing.B) {
	s := openBench(b)
	const batch = 200
	var n int
	for b.Loop() {
		var appends []eventstore.Append
		for range batch {
			n++
			appends = append(appends, kilobyte(fmt.Sprintf("customer.c%d", n), "first", 0))
		}
		for _, r := range s.Append(b.Context(), appends...) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "commits/s")
}

// filled is a store of many streams with twenty commits each.
func filled(b *testing.B, streams int) *jetstore.Store {
	s := openBench(b)
	for round := 0; round < streams; round += 100 {
		var appends []eventstore.Append
		for i := range min(100, streams-round) {
			for n := range 20 {
				appends = append(appends, kilobyte(fmt.Sprintf("customer.c%d", round+i), fmt.Sprint(n), 0))
			}
		}
		for _, r := range s.Append(b.Context(), appends...) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	return s
}

// A customer that is not in memory.
func BenchmarkLoad(b *testing.B) {
	s := filled(b, 200)
	i := 0
	for b.Loop() {
		i++
		for _, err := range s.Load(b.Context(), eventstoretest.Tenant, fmt.Sprintf("customer.c%d", i*37%200), 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// A rebuild: one partition from the start to its end.
func BenchmarkReplay(b *testing.B) {
	s := filled(b, 400)
	head, err := s.Head(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			for at := uint64(1); at <= head; {
				commits, err := s.Read(b.Context(), 0, at, 2000)
				if err != nil || len(commits) == 0 {
					b.Fatal(err)
				}
				at = commits[len(commits)-1].Seq + 1
			}
		}
		b.ReportMetric(float64(b.N)*float64(head)/b.Elapsed().Seconds(), "commits/s")
	})
	b.Run("follow", func(b *testing.B) {
		for b.Loop() {
			ctx, cancel := context.WithCancel(b.Context())
			for c, err := range s.Follow(ctx, 0, 0) {
				if err != nil {
					b.Fatal(err)
				}
				if c.Seq == head {
					break
				}
			}
			cancel()
		}
		b.ReportMetric(float64(b.N)*float64(head)/b.Elapsed().Seconds(), "commits/s")
	})
}

// One stream of many commits among others: what a state costs that has no snapshot.
func BenchmarkLoadLong(b *testing.B) {
	for _, n := range []int{2_000, 100_000} {
		b.Run(fmt.Sprintf("commits=%d", n), func(b *testing.B) {
			s, _ := long(b, n)
			for b.Loop() {
				got := 0
				for _, err := range s.Load(b.Context(), eventstoretest.Tenant, "customer.long", 0) {
					if err != nil {
						b.Fatal(err)
					}
					got++
				}
				if got != n {
					b.Fatalf("%d commits of %d", got, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/commit")
		})
	}
}

// long is a store with n commits of one stream, and one of another after every hundred.
func long(t testing.TB, n int) (*jetstore.Store, jetstream.JetStream) {
	js := startServer(t, t.TempDir(), func(o *server.Options) { o.SyncAlways = false }).js
	s := open(t, js, jetstore.Config{Partitions: 1})
	var last uint64
	for i := 0; i < n; i += 100 {
		var appends []eventstore.Append
		for k := i; k < min(i+100, n); k++ {
			appends = append(appends, kilobyte("customer.long", id(k), last))
		}
		appends = append(appends, kilobyte(fmt.Sprintf("customer.c%d", i), "first", 0))
		results := s.Append(t.Context(), appends...)
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		last = results[len(results)-2].Seq
	}
	return s, js
}

// id names the k-th commit of a long stream.
func id(k int) string { return fmt.Sprint(k) }
