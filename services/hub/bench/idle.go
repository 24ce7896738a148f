package bench

import (
	"context"
	"fmt"
	"os"
)

// idle: what a hub costs that has nothing to do.
func idle(ctx context.Context, b *bench) error {
	info, err := os.Stat(b.Exe)
	if err != nil {
		return fmt.Errorf("look at the binary: %w", err)
	}
	b.report.put("idle", "size of this binary", "MB", float64(info.Size())/1e6)
	dir, remove, err := b.tempDir()
	if err != nil {
		return err
	}
	defer remove()
	first, err := startChild(ctx, b.Exe, dir, idleInbox)
	if err != nil {
		return err
	}
	if err := first.stop(); err != nil {
		return err
	}
	b.report.put("idle", "very first start to ready (makes streams, keys and the owner)", "ms", ms(first.took))
	if err := b.starts(ctx, dir, "empty"); err != nil {
		return err
	}
	f, err := b.fill(ctx, max(1, b.Events/2))
	if err != nil {
		return err
	}
	return b.starts(ctx, f.dir, fmt.Sprintf("%d commits", f.commits))
}

func (b *bench) starts(ctx context.Context, dir, name string) error {
	var took, memory []float64
	for range b.Rounds {
		hub, err := startChild(ctx, b.Exe, dir, idleInbox)
		if err != nil {
			return err
		}
		rss, err := hub.rss()
		if stopErr := hub.stop(); err == nil {
			err = stopErr
		}
		if err != nil {
			return err
		}
		took, memory = append(took, ms(hub.took)), append(memory, float64(rss)/1e6)
	}
	b.report.put("idle", name+": start to ready", "ms", took...)
	b.report.put("idle", name+": resident memory when ready", "MB", memory...)
	b.say("%s: started", name)
	return nil
}
