package bench

import (
	"context"
	"fmt"
	"time"
)

// talkers write all the time beside the crowd.
const talkers = 16

// sockets: many widgets open at one hub, and all of them coming back at once,
// while a few visitors go on writing to an agent.
func sockets(ctx context.Context, b *bench) error {
	dir, remove, err := b.tempDir()
	if err != nil {
		return err
	}
	defer remove()
	hub, err := startChild(ctx, b.Exe, dir, chatInbox)
	if err != nil {
		return err
	}
	defer hub.kill()
	room, err := openRoom(ctx, hub, talkers)
	if err != nil {
		return err
	}
	defer room.close()
	empty, err := hub.rss()
	if err != nil {
		return err
	}
	people := &crowd{hub: hub, inbox: "bench"}
	defer people.cut()
	began := time.Now()
	for left := b.Sockets; left > 0; left -= min(left, 500) {
		if err := people.open(ctx, min(left, 500)); err != nil {
			return fmt.Errorf("open %d sockets: %w", b.Sockets, err)
		}
		// What they said is on the agent's screen before more come.
		if _, err := room.run(ctx, 0, 0, time.Millisecond); err != nil {
			return err
		}
	}
	b.say("%d sockets are open, each has written once, after %s", b.Sockets, time.Since(began).Round(time.Millisecond))
	put := func(name, unit string, v float64) {
		b.report.put("sockets", fmt.Sprintf("%d sockets: ", b.Sockets)+name, unit, v)
	}
	put("opened, each written once", "1/s", float64(b.Sockets)/time.Since(began).Seconds())

	quiet, err := room.run(ctx, b.Rate, b.Window/3, b.Window)
	if err != nil {
		return err
	}
	put(fmt.Sprintf("%d messages/s beside them, p50", b.Rate), "ms", quantile(quiet.waits, .5))
	put(fmt.Sprintf("%d messages/s beside them, p99", b.Rate), "ms", quantile(quiet.waits, .99))
	before, err := hub.cpu()
	if err != nil {
		return err
	}
	pause(ctx, b.Window)
	after, err := hub.cpu()
	if err != nil {
		return err
	}
	put("CPU of the hub while nobody writes", "%", 100*(after-before).Seconds()/b.Window.Seconds())
	full, err := hub.rss()
	if err != nil {
		return err
	}
	if err := b.profile(ctx, hub, "sockets", time.Second); err != nil {
		return err
	}
	put("resident memory", "MB", float64(full)/1e6)
	put("of it, per socket", "KB", float64(full-empty)/1e3/float64(b.Sockets))
	if lost := people.lost.Load(); lost > 0 {
		return fmt.Errorf("%d of %d sockets ended by themselves", lost, b.Sockets)
	}

	// The storm lasts as long as it lasts; the messages beside it until it is over.
	people.cut()
	type end struct {
		took time.Duration
		err  error
	}
	over := make(chan end, 1)
	go func() {
		took, err := people.storm(ctx)
		over <- end{took, err}
	}()
	var during []time.Duration
	for done := false; !done; {
		w, err := room.run(ctx, b.Rate, 0, 500*time.Millisecond)
		if err != nil {
			return fmt.Errorf("while all come back: %w", err)
		}
		during = append(during, w.waits...)
		select {
		case e := <-over:
			if e.err != nil {
				return fmt.Errorf("all come back: %w", e.err)
			}
			put("all come back at once", "s", e.took.Seconds())
			done = true
		default:
		}
	}
	put("messages beside that, p50", "ms", quantile(during, .5))
	put("messages beside that, p99", "ms", quantile(during, .99))
	peak, err := hub.rss()
	if err != nil {
		return err
	}
	put("resident memory after it", "MB", float64(peak)/1e6)
	people.cut()
	return hub.stop()
}
