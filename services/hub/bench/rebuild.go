package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/natsbus"
	"golang.org/x/sync/errgroup"
)

// rebuild: commits per second into new read models, beside reading the same
// log and throwing it away.
func rebuild(ctx context.Context, b *bench) error {
	f, err := b.fill(ctx, max(1, b.Events/2))
	if err != nil {
		return err
	}
	var rate, raw, ratio, cpu []float64
	for range b.Rounds {
		took, used, err := b.rebuildOnce(ctx, f)
		if err != nil {
			return err
		}
		low, err := drain(ctx, f)
		if err != nil {
			return err
		}
		r, d := float64(f.commits)/took.Seconds(), float64(f.commits)/low.Seconds()
		b.say("rebuild %.0f commits/s, drain only %.0f/s", r, d)
		rate, raw, ratio = append(rate, r), append(raw, d), append(ratio, r/d)
		cpu = append(cpu, ms(used)/float64(f.commits))
	}
	b.report.put("rebuild", fmt.Sprintf("log of %d commits", f.commits), "1/s", rate...)
	b.report.put("rebuild", "CPU of the hub", "ms/commit", cpu...)
	b.report.put("rebuild", "floor: drain only", "1/s", raw...)
	b.report.put("rebuild", "share of the floor", "×", ratio...)
	b.report.put("rebuild", "first projection after a start", "1/s", float64(f.commits)/f.project.Seconds())
	return nil
}

// rebuildOnce has a running hub rebuild, as an operator does.
func (b *bench) rebuildOnce(ctx context.Context, f *filled) (took, cpu time.Duration, err error) {
	hub, err := startChild(ctx, b.Exe, f.dir, idleInbox)
	if err != nil {
		return 0, 0, err
	}
	defer hub.kill()
	before, err := hub.cpu()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if _, err := hub.command(ctx, "rebuild"); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := hub.cpu()
	if err != nil {
		return 0, 0, err
	}
	return took, after - before, hub.stop()
}

// drain reads every commit of the log, all partitions at once, as a rebuild does.
func drain(ctx context.Context, f *filled) (time.Duration, error) {
	srv, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: filepath.Join(f.dir, "nats")})
	if err != nil {
		return 0, err
	}
	defer srv.Close()
	bus, err := srv.Connect(ctx)
	if err != nil {
		return 0, err
	}
	defer bus.Close(context.WithoutCancel(ctx))
	events, err := jetstore.Open(ctx, bus.JS, jetstore.Config{Partitions: partitions, Existing: true})
	if err != nil {
		return 0, err
	}
	defer events.Close()
	var mu sync.Mutex
	total := 0
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for p := range partitions {
		g.Go(func() error {
			n := 0
			for from := uint64(1); ; {
				commits, err := events.Read(ctx, p, from, 1000)
				if err != nil {
					return err
				}
				if len(commits) == 0 {
					break
				}
				n, from = n+len(commits), commits[len(commits)-1].Seq+1
			}
			mu.Lock()
			defer mu.Unlock()
			total += n
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("drain the log: %w", err)
	}
	if total != f.commits {
		return 0, fmt.Errorf("drain the log: %d commits, want %d", total, f.commits)
	}
	return time.Since(began), nil
}
