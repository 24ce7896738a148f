package chat

import (
	"sync"
	"time"
)

// rooms are the sessions by handle id: all tabs and devices of one visitor.
type rooms struct {
	mu     sync.Mutex
	by     map[string]map[*session]struct{}
	closed bool
	left   map[string]time.Time // when the last session of a handle ended
	now    func() time.Time
	since  time.Time // what happened before is not known
}

// join adds a session; false when the adapter is draining.
func (r *rooms) join(s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if r.by == nil {
		r.by = map[string]map[*session]struct{}{}
	}
	if r.by[s.handleID] == nil {
		r.by[s.handleID] = map[*session]struct{}{}
	}
	r.by[s.handleID][s] = struct{}{}
	return true
}

func (r *rooms) leave(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by[s.handleID], s)
	if len(r.by[s.handleID]) == 0 {
		delete(r.by, s.handleID)
		if r.left == nil {
			r.left = map[string]time.Time{}
		}
		r.left[s.handleID] = r.now()
	}
}

// away is since when nobody of a handle is here: now for one who is, and for
// what this process has not seen at the earliest since it began.
func (r *rooms) away(handleID string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.by[handleID]) > 0 {
		return r.now()
	}
	if t, ok := r.left[handleID]; ok {
		return t
	}
	return r.since
}

// sweep forgets who left long ago: longer than anything waits for.
func (r *rooms) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.now().Add(-2 * maxMailAfter)
	for id, t := range r.left {
		if t.Before(old) {
			delete(r.left, id)
		}
	}
}

// of lists the sessions of one handle.
func (r *rooms) of(handleID string) []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*session, 0, len(r.by[handleID]))
	for s := range r.by[handleID] {
		list = append(list, s)
	}
	return list
}

func (r *rooms) all() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list()
}

// shut lets nobody in any more and lists who is there.
func (r *rooms) shut() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.list()
}

func (r *rooms) list() []*session {
	var list []*session
	for _, room := range r.by {
		for s := range room {
			list = append(list, s)
		}
	}
	return list
}
