package bench

import (
	"context"
	"fmt"
	"strings"
)

// live is what the hub holds right after a collection.
type live struct {
	heap, stacks int64 // bytes
	goroutines   int
}

// live lets the hub collect its garbage and asks what it holds. Read resident
// memory before: collecting gives some of it back.
func (c *child) live(ctx context.Context) (l live, err error) {
	// The text form ends with runtime.MemStats.
	heap, err := c.operator(ctx, "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return l, err
	}
	goroutines, err := c.operator(ctx, "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return l, err
	}
	for line := range strings.Lines(string(heap) + "\n" + string(goroutines)) {
		switch {
		case strings.HasPrefix(line, "# HeapAlloc = "):
			_, err = fmt.Sscanf(line, "# HeapAlloc = %d", &l.heap)
		case strings.HasPrefix(line, "# Stack = "):
			_, err = fmt.Sscanf(line, "# Stack = %d /", &l.stacks)
		case strings.HasPrefix(line, "goroutine profile: "):
			_, err = fmt.Sscanf(line, "goroutine profile: total %d", &l.goroutines)
		}
		if err != nil {
			return l, fmt.Errorf("read what the hub holds: %q: %w", line, err)
		}
	}
	if l.heap == 0 || l.stacks == 0 || l.goroutines == 0 {
		return l, fmt.Errorf("read what the hub holds: heap %d, stacks %d, goroutines %d", l.heap, l.stacks, l.goroutines)
	}
	return l, nil
}
