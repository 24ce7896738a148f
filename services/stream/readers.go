package stream

import "sync"

// readers counts open streams and ends them together.
type readers struct {
	max, maxPer int
	draining    chan struct{}

	mu   sync.Mutex
	done bool
	n    int
	by   map[string]int // by actor
	open sync.WaitGroup
}

// refusal says why a reader is not let in.
type refusal string

const (
	refusedDraining refusal = "the hub is shutting down"
	refusedFull     refusal = "too many readers"
	refusedToken    refusal = "too many readers with this token"
)

// enter lets a reader in; leave must follow. "" is yes.
func (r *readers) enter(actor string) refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.done:
		return refusedDraining
	case r.n >= r.max:
		return refusedFull
	case r.by[actor] >= r.maxPer:
		return refusedToken
	}
	r.n++
	r.by[actor]++
	r.open.Add(1)
	return ""
}

func (r *readers) leave(actor string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n--
	if r.by[actor]--; r.by[actor] == 0 {
		delete(r.by, actor)
	}
	r.open.Done()
}

// drain ends all readers and waits for them.
func (r *readers) drain() {
	r.mu.Lock()
	if !r.done {
		r.done = true
		close(r.draining)
	}
	r.mu.Unlock()
	r.open.Wait()
}
