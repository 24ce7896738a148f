package audit

import (
	"context"
	"time"
)

// write is the one goroutine that appends, until the queue is closed and empty.
func (l *Log) write(ctx context.Context, c *chain) {
	defer close(l.done)
	var due <-chan time.Time // when the anchor is moved; nil: it stands at the end
	for {
		select {
		case it, ok := <-l.queue:
			if !ok {
				l.anchor(ctx, c)
				return
			}
			l.flush(ctx, c, l.gather(it))
			if due == nil {
				due = time.After(anchorEvery)
			}
		case <-due:
			due = nil
			l.anchor(ctx, c)
		}
	}
}

// gather waits for company, unless somebody waits for the disk.
func (l *Log) gather(first item) []item {
	batch := []item{first}
	hurry := first.written != nil
	t := time.NewTimer(l.cfg.Flush)
	defer t.Stop()
	for len(batch) < maxBatch {
		if hurry {
			select {
			case it, ok := <-l.queue:
				if !ok {
					return batch
				}
				batch = append(batch, it)
				continue
			default:
				return batch
			}
		}
		select {
		case it, ok := <-l.queue:
			if !ok {
				return batch
			}
			batch = append(batch, it)
			hurry = it.written != nil
		case <-t.C:
			return batch
		case <-l.stop:
			hurry = true
		}
	}
	return batch
}

// flush appends until it is done or ctx ends. Who waits is told of the first
// failure: the entry stays, its outcome is not waited for any longer.
func (l *Log) flush(ctx context.Context, c *chain, batch []item) {
	entries := make([]Entry, len(batch))
	for i, it := range batch {
		entries[i] = it.Entry
	}
	tell := func(err error) {
		for i, it := range batch {
			if it.written != nil {
				it.written <- err // has room for one
				batch[i].written = nil
			}
		}
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := c.append(ctx, entries)
		if err == nil {
			tell(nil)
			l.metrics.failing.Set(0)
			l.metrics.wrote(entries)
			return
		}
		if wait == 100*time.Millisecond {
			l.deps.Log.ErrorContext(ctx, "the audit log cannot be written: it is tried again", "error", err)
		}
		l.metrics.failing.Set(1)
		tell(err)
		select {
		case <-ctx.Done():
			l.deps.Log.ErrorContext(ctx, "audit entries are lost: the hub stopped while the log could not be written", "entries", len(entries))
			return
		case <-time.After(wait):
		}
	}
}

func (l *Log) anchor(ctx context.Context, c *chain) {
	if err := c.anchor(ctx); err != nil {
		l.deps.Log.ErrorContext(ctx, "the audit anchor could not be written", "error", err)
	}
}
