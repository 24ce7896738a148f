package codec

import (
	"sync"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Shared decodes a commit once for all who follow the log at about the same
// pace. It holds the last few hundred of every partition; who comes later
// decodes for himself. The events are shared: do not change them. The zero
// value is ready; safe for concurrent use.
type Shared struct {
	mu    sync.Mutex
	rings map[int]*[sharedCommits]decoded // by partition
}

// sharedCommits is more than followers are apart while they keep up.
const sharedCommits = 256

type decoded struct {
	seq    uint64
	id     string
	events []event.Event
}

// Decode is the package's Decode.
func (s *Shared) Decode(c eventstore.Commit) ([]event.Event, error) {
	if c.Seq == 0 {
		return Decode(c) // not stored
	}
	if d := s.place(c); d.seq == c.Seq && d.id == c.ID {
		return d.events, nil
	}
	events, err := Decode(c)
	if err == nil {
		s.keep(c, events)
	}
	return events, err
}

func (s *Shared) place(c eventstore.Commit) decoded {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rings[c.Partition]; r != nil {
		return r[c.Seq%sharedCommits]
	}
	return decoded{}
}

func (s *Shared) keep(c eventstore.Commit, events []event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rings[c.Partition]
	if r == nil {
		if s.rings == nil {
			s.rings = map[int]*[sharedCommits]decoded{}
		}
		r = new([sharedCommits]decoded)
		s.rings[c.Partition] = r
	}
	r[c.Seq%sharedCommits] = decoded{c.Seq, c.ID, events}
}
