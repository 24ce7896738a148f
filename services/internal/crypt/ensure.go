package crypt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/internal/docstore"
)

// flights gathers the names that wait while a batch is being written: the
// next batch takes them all, so concurrent callers share one fsync.
type flights struct {
	mu   sync.Mutex
	next *flight
	sem  chan struct{} // held by the flight in the air
}

type flight struct {
	names map[string]error // outcome by name
	err   error            // of the flight as a whole
	done  chan struct{}
}

// Ensure makes keys that are not there.
func (r *Ring) Ensure(ctx context.Context, names ...string) error {
	var missing []string
	for _, name := range names {
		s, err := r.cached(name)
		if err != nil && !errors.Is(err, ErrShredded) {
			return fmt.Errorf("ensure keys: %w", err)
		}
		if s == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	f := r.ensure.join(missing)
	select {
	case <-f.done:
	case <-ctx.Done():
		return fmt.Errorf("ensure keys: %w", ctx.Err())
	case r.ensure.sem <- struct{}{}:
		r.ensure.fly(f, func() {
			// Others wait for this too: it does not end with one caller's ctx.
			f.err = r.makeMissing(context.WithoutCancel(ctx), f.names)
		})
		<-r.ensure.sem
	}
	if f.err != nil {
		return fmt.Errorf("ensure keys: %w", f.err)
	}
	for _, name := range missing {
		if err := f.names[name]; err != nil {
			return fmt.Errorf("ensure key %s: %w", name, err)
		}
	}
	return nil
}

func (fs *flights) join(names []string) *flight {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.next == nil {
		fs.next = &flight{names: map[string]error{}, done: make(chan struct{})}
	}
	for _, n := range names {
		fs.next.names[n] = nil
	}
	return fs.next
}

// fly closes the flight to newcomers and runs it, unless it is done already.
func (fs *flights) fly(f *flight, run func()) {
	select {
	case <-f.done:
		return
	default:
	}
	fs.mu.Lock()
	fs.next = nil
	fs.mu.Unlock()
	defer close(f.done)
	run()
}

// makeMissing reads rows and creates what is missing, again when another
// process creates some of them at the same moment.
func (r *Ring) makeMissing(ctx context.Context, outcome map[string]error) error {
	const batch, tries = 500, 8
	for names := range slices.Chunk(slices.Sorted(maps.Keys(outcome)), batch) {
		for try := 0; ; try++ {
			rows, err := r.rows(ctx, names)
			if err != nil {
				return err
			}
			var missing []string
			for i, name := range names {
				if rows[i].State == "" {
					missing = append(missing, name)
				} else {
					_, outcome[name] = r.accept(name, rows[i])
				}
			}
			if len(missing) == 0 {
				break
			}
			err = r.create(ctx, missing)
			if err != nil && (!errors.Is(err, docstore.ErrExists) || try == tries) {
				return err
			}
			names = missing // read back: what is in the table is the key, whoever made it
		}
	}
	return nil
}
