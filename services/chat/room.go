package chat

import "sync"

// rooms are the sessions by handle id: all tabs and devices of one visitor.
type rooms struct {
	mu     sync.Mutex
	by     map[string]map[*session]struct{}
	closed bool
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
