package projection

import (
	"sort"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
)

// window holds the latest commits of a partition: all with Seq > floor. The
// reader adds to it without ever waiting; sinks take from it without copying.
type window struct {
	maxCommits, maxBytes int
	lanes                []*lane // fixed before use

	mu      sync.Mutex
	floor   uint64
	head    uint64
	headAt  time.Time
	commits []eventstore.Commit // append-only: slices handed out stay as they are
	bytes   int
	grown   chan struct{} // closed and replaced when commits come
}

func newWindow(maxCommits, maxBytes int) *window {
	return &window{maxCommits: maxCommits, maxBytes: maxBytes, grown: make(chan struct{})}
}

// start says from where on the window will be complete.
func (w *window) start(head uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor, w.head = head, head
}

func (w *window) last() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}

func (w *window) add(c eventstore.Commit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commits = append(w.commits, c)
	w.bytes += size(c)
	w.head, w.headAt = c.Seq, c.RecordedAt
	n, bytes := 0, w.bytes
	for n < len(w.commits) && (len(w.commits)-n > w.maxCommits || bytes > w.maxBytes) {
		bytes -= size(w.commits[n])
		n++
	}
	w.drop(n)
	close(w.grown)
	w.grown = make(chan struct{})
}

// take gives up to limit commits after a sequence. behind: the window begins
// later, at floor. Neither commits nor behind: grown closes when there are more.
func (w *window) take(after uint64, limit int) (commits []eventstore.Commit, behind bool, floor uint64, grown <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if after < w.floor {
		return nil, true, w.floor, nil
	}
	i := sort.Search(len(w.commits), func(i int) bool { return w.commits[i].Seq > after })
	n := min(i+limit, len(w.commits))
	return w.commits[i:n:n], false, w.floor, w.grown
}

// trim forgets what every lane has applied.
func (w *window) trim() {
	applied := w.lanes[0].position()
	for _, l := range w.lanes[1:] {
		applied = min(applied, l.position())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(sort.Search(len(w.commits), func(i int) bool { return w.commits[i].Seq > applied }))
}

// drop forgets the first n commits. The caller holds the lock.
func (w *window) drop(n int) {
	if n == 0 {
		return
	}
	w.floor = w.commits[n-1].Seq
	for _, c := range w.commits[:n] {
		w.bytes -= size(c)
	}
	w.commits = w.commits[n:]
	if len(w.commits) == 0 {
		w.commits = nil // let go of the array
	}
}

func size(c eventstore.Commit) int {
	n := 256
	for _, r := range c.Records {
		n += 64 + len(r.Data)
	}
	return n
}
