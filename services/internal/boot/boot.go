// Package boot starts the parts of the hub in the order of their needs, waits
// until each is ready, and stops them in the reverse order.
//
//	New ──► Starting ──ready()──► Running ──ctx──► Stopping ──► Stopped
//	                 └──────────── error ─────────────────────► everything stops
package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Unit is one part. Run works until ctx ends and then drains; it calls ready
// once when others may rely on it. Returning nil early is a clean end of that part alone.
type Unit struct {
	Name  string
	Needs []string
	Run   func(ctx context.Context, ready func()) error
}

// Drain is how long all parts together may take to stop.
const Drain = 25 * time.Second

// Run starts units and blocks until ctx ends or one of them fails; then it
// stops them in reverse order, each after everything that needs it.
// The error is that of the first part that failed.
func Run(ctx context.Context, log *slog.Logger, units []Unit) error {
	order, err := sorted(units)
	if err != nil {
		return err
	}
	b := &run{log: log, failed: make(chan error, len(units))}
	var failure error
	for _, u := range order {
		if failure = b.start(ctx, u); failure != nil {
			break
		}
	}
	if failure == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case failure = <-b.failed:
		}
	}
	return errors.Join(failure, b.stop())
}

type running struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

type run struct {
	log     *slog.Logger
	failed  chan error
	running []running
}

func (b *run) start(ctx context.Context, u Unit) error {
	// Parts are told to stop one after the other, so they do not hear ctx itself.
	unitCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := running{name: u.Name, cancel: cancel, done: make(chan struct{})}
	b.running = append(b.running, r)
	ready := make(chan struct{})
	var once sync.Once
	began := time.Now()
	go func() {
		defer close(r.done)
		if err := u.Run(unitCtx, func() { once.Do(func() { close(ready) }) }); err != nil && unitCtx.Err() == nil {
			b.failed <- fmt.Errorf("%s: %w", u.Name, err)
		}
	}()
	select {
	case <-ready:
		b.log.Debug("part is ready", "part", u.Name, "took", time.Since(began).Round(time.Millisecond))
	case err := <-b.failed:
		return err
	case <-r.done:
		select {
		case err := <-b.failed:
			return err
		default:
		}
	case <-ctx.Done():
	}
	return nil
}

func (b *run) stop() error {
	deadline := time.NewTimer(Drain)
	defer deadline.Stop()
	for _, r := range slices.Backward(b.running) {
		r.cancel()
		select {
		case <-r.done:
		case <-deadline.C:
			return fmt.Errorf("%s did not stop within %s", r.name, Drain)
		}
	}
	return nil
}

// sorted puts needs first, keeping the given order otherwise.
func sorted(units []Unit) ([]Unit, error) {
	byName := map[string]Unit{}
	for _, u := range units {
		byName[u.Name] = u
	}
	const visiting, visited = 1, 2
	state := map[string]int{}
	var out []Unit
	var visit func(u Unit) error
	visit = func(u Unit) error {
		switch state[u.Name] {
		case visited:
			return nil
		case visiting:
			return fmt.Errorf("part %s needs itself", u.Name)
		}
		state[u.Name] = visiting
		for _, n := range u.Needs {
			if dep, ok := byName[n]; ok { // a need that runs elsewhere is met by its process
				if err := visit(dep); err != nil {
					return err
				}
			}
		}
		state[u.Name] = visited
		out = append(out, u)
		return nil
	}
	for _, u := range units {
		if err := visit(u); err != nil {
			return nil, err
		}
	}
	return out, nil
}
