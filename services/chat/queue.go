package chat

import "sync"

const (
	queueFrames = 64
	queueBytes  = 256 << 10
)

// queue is what waits to be written to one visitor. Bounded: a reader that is
// too slow loses the connection, never a message, because the transcript has them all.
type queue struct {
	mu     sync.Mutex
	frames [][]byte
	bytes  int
	wake   chan struct{} // something to write
	room   chan struct{} // something was written
}

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// offer adds a frame unless the queue is full. One frame always fits an empty queue.
func (q *queue) offer(b []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.frames) >= queueFrames || len(q.frames) > 0 && q.bytes+len(b) > queueBytes {
		return false
	}
	q.frames = append(q.frames, b)
	q.bytes += len(b)
	signal(q.wake)
	return true
}

// half says whether less than half is taken: what may be dropped is only sent then,
// and replay leaves the other half to what happens live.
func (q *queue) half(n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.frames) == 0 || len(q.frames) < queueFrames/2 && q.bytes+n <= queueBytes/2
}

func (q *queue) next() ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.frames) == 0 {
		return nil, false
	}
	b := q.frames[0]
	q.frames = q.frames[1:]
	q.bytes -= len(b)
	signal(q.room)
	return b, true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
