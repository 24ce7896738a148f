package bench

import (
	"context"
	"fmt"
	"time"
)

// The chat inbox of the bench: its visitors all come from one address.
var chatInbox = chatInboxNamed("bench")

func chatInboxNamed(id string) string {
	return inboxYAML(id, "chat", "messages_per_minute", "100000", "connections_per_minute", "6000", "visitors_per_hour", "100000")
}

// chat: widget sockets → hub → an agent's console socket, in a closed loop.
func chat(ctx context.Context, b *bench) error {
	sizes, err := b.chatSizes(ctx)
	if err != nil {
		return err
	}
	for _, n := range b.Visitors {
		if err := b.chatVisitors(ctx, n, sizes); err != nil {
			return fmt.Errorf("%d visitors: %w", n, err)
		}
	}
	return b.chatSteady(ctx, b.Visitors[0])
}

// chatSteady is the same at a rate that the hub has to spare: how long a message takes when nobody pushes.
func (b *bench) chatSteady(ctx context.Context, n int) error {
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
	room, err := openRoom(ctx, hub, n)
	if err != nil {
		return err
	}
	defer room.close()
	var p50, p99, cpu []float64
	for range b.Rounds {
		got, err := room.run(ctx, b.Rate, b.Window/3, b.Window)
		if err != nil {
			return fmt.Errorf("%d messages/s: %w", b.Rate, err)
		}
		b.say("%d messages/s: p50 %.1f ms, p99 %.1f ms", b.Rate, quantile(got.waits, .5), quantile(got.waits, .99))
		p50, p99 = append(p50, quantile(got.waits, .5)), append(p99, quantile(got.waits, .99))
		cpu = append(cpu, ms(got.cpu)/float64(len(got.waits)))
	}
	name := func(s string) string { return fmt.Sprintf("%d visitors, %d messages/s: %s", n, b.Rate, s) }
	b.report.put("chat", name("send to agent's socket, p50"), "ms", p50...)
	b.report.put("chat", name("send to agent's socket, p99"), "ms", p99...)
	b.report.put("chat", name("CPU of the hub"), "ms/message", cpu...)
	return nil
}

// chatSizes learns what a message weighs in both streams, for the floor.
func (b *bench) chatSizes(ctx context.Context) (sizes, error) {
	dir, remove, err := b.tempDir()
	if err != nil {
		return sizes{}, err
	}
	defer remove()
	hub, err := startChild(ctx, b.Exe, dir, chatInbox)
	if err != nil {
		return sizes{}, err
	}
	room, err := openRoom(ctx, hub, 4)
	if err == nil {
		_, err = room.run(ctx, 0, 0, time.Second)
		room.close()
	}
	if stopErr := hub.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return sizes{}, err
	}
	return measureSizes(ctx, dir)
}

func (b *bench) chatVisitors(ctx context.Context, n int, sz sizes) error {
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
	room, err := openRoom(ctx, hub, n)
	if err != nil {
		return err
	}
	defer room.close()
	floor, err := openFloor(ctx, b.Dir)
	if err != nil {
		return err
	}
	defer floor.close()

	var rate, p50, p99, cpu, raw, rawP50, ratio []float64
	for round := range b.Rounds {
		profiled := make(chan error, 1)
		if round == 0 {
			go func() { profiled <- b.profile(ctx, hub, fmt.Sprintf("chat-%d", n), b.Window) }()
		} else {
			profiled <- nil
		}
		got, err := room.run(ctx, 0, b.Window/3, b.Window)
		if err != nil {
			return err
		}
		if err := <-profiled; err != nil {
			return err
		}
		low, err := floor.pairs(ctx, n, sz, b.Window/3)
		if err != nil {
			return err
		}
		b.say("%d visitors: %.0f messages/s, p50 %.1f ms, p99 %.1f ms; raw %.0f/s", n, got.perSecond(), quantile(got.waits, .5), quantile(got.waits, .99), low.perSecond())
		rate, raw, ratio = append(rate, got.perSecond()), append(raw, low.perSecond()), append(ratio, got.perSecond()/low.perSecond())
		p50, p99 = append(p50, quantile(got.waits, .5)), append(p99, quantile(got.waits, .99))
		cpu, rawP50 = append(cpu, ms(got.cpu)/float64(len(got.waits))), append(rawP50, quantile(low.waits, .5))
	}
	name := func(s string) string { return fmt.Sprintf("%d visitors: %s", n, s) }
	b.report.put("chat", name("messages"), "1/s", rate...)
	b.report.put("chat", name("send to agent's socket, p50"), "ms", p50...)
	b.report.put("chat", name("send to agent's socket, p99"), "ms", p99...)
	b.report.put("chat", name("CPU of the hub"), "ms/message", cpu...)
	b.report.put("chat", name("floor: two synced appends"), "1/s", raw...)
	b.report.put("chat", name("floor: two synced appends, p50"), "ms", rawP50...)
	b.report.put("chat", name("share of the floor"), "×", ratio...)
	return nil
}

// window is what one round saw.
type window struct {
	took  time.Duration
	waits []time.Duration // one per message
	cpu   time.Duration   // of the hub
}

func (w window) perSecond() float64 { return float64(len(w.waits)) / w.took.Seconds() }
