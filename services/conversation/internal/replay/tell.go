package replay

import (
	"sync"
	"time"
)

// tellEvery is how often progress is told.
const tellEvery = 250 * time.Millisecond

// teller tells progress now and then. Safe for concurrent use.
type teller struct {
	to   func(Progress)
	mu   sync.Mutex
	last time.Time
}

func (t *teller) tell(p Progress) {
	if t.to == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.last) >= tellEvery {
		t.last = now
		t.to(p)
	}
}

// now tells the end of a phase.
func (t *teller) now(p Progress) {
	if t.to == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	t.to(p)
}
