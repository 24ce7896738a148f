package query

import (
	"context"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"golang.org/x/sync/errgroup"
)

// key is an entry's place in a person's timeline: by time, then by stream. A
// stream's entries stand in its own order.
func key(e *readmodel.Entry) string { return e.Position + "." + e.Customer }

// source is one index page after another of entries, in order.
type source struct {
	query entries
	keep  func(*readmodel.Entry) bool
	// bound: nothing of it comes before this key in the order of the merge, as
	// long as nothing was read. "" is not known.
	bound string
	buf   []*readmodel.Entry
	past  string // key of the last head that was taken: what comes before it is known
	begun bool
	read  int // how often after the first time
	end   bool
}

// merge reads sources side by side and lazily: one is read only when nothing
// known comes before what it may hold.
type merge struct {
	world   world
	desc    bool
	token   string // entries up to and with it are not wanted; "" for all
	sources []*source
	learn   func(context.Context, []*readmodel.Entry) error // before keep is asked
	chunk   int
	left    int // how many entries may still be looked at
}

// lookAt bounds the entries that one page looks at when filters leave few.
const lookAt = 5_000

// next is the entry that comes next, nil at the end, or when too many were
// looked at: then rest is a token to go on from.
func (m *merge) next(ctx context.Context) (e *readmodel.Entry, rest string, err error) {
	for {
		best := -1
		for i, s := range m.sources {
			if s.end && len(s.buf) == 0 {
				continue
			}
			if best < 0 || m.before(s, m.sources[best]) {
				best = i
			}
		}
		if best < 0 {
			return nil, "", nil
		}
		s := m.sources[best]
		if len(s.buf) > 0 {
			e, s.buf = s.buf[0], s.buf[1:]
			return e, "", nil
		}
		if m.left <= 0 {
			return nil, m.from(s), nil
		}
		if err := m.fill(ctx, m.due(s)); err != nil {
			return nil, "", err
		}
	}
}

// at is where a source stands: its next entry, or what it may begin with.
func (m *merge) at(s *source) string {
	if len(s.buf) > 0 {
		return key(s.buf[0])
	}
	return s.bound
}

// before says which of two to take first; one that has to be read first comes
// before the other's entry of the same place.
func (m *merge) before(a, b *source) bool {
	x, y := m.at(a), m.at(b)
	switch {
	case x == y:
		return len(a.buf) == 0 && len(b.buf) > 0
	case x == "" || y == "":
		return x == ""
	case m.desc:
		return x > y
	}
	return x < y
}

// from is a token from which a merge begins with what s may hold.
func (m *merge) from(s *source) string {
	at := m.at(s)
	if at != "" && m.desc {
		at += "0" // a token is exclusive
	}
	return at
}

// atOnce is how many sources are read side by side.
const atOnce = 8

// due are the source that has to be read now and those that come soon after
// it, as far as nothing of them was read.
func (m *merge) due(first *source) []*source {
	out := []*source{first}
	for _, s := range m.sources {
		if s != first && !s.begun && !s.end {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out[1:], func(a, b *source) int {
		switch {
		case m.before(a, b):
			return -1
		case m.before(b, a):
			return 1
		}
		return 0
	})
	return out[:min(len(out), atOnce)]
}

func (m *merge) fill(ctx context.Context, sources []*source) error {
	pages := make([][]*readmodel.Entry, len(sources))
	reading, group := errgroup.WithContext(ctx)
	for i, s := range sources {
		reading.Go(func() (err error) {
			q := s.query
			q.desc, q.limit = m.desc, m.chunk
			if s.begun {
				s.read++
				q.limit = min(m.chunk<<min(s.read, 8), MaxPage)
			} else {
				q = m.start(q, s.bound)
			}
			var next string
			if pages[i], next, err = m.world.entries(group, q); err != nil {
				return err
			}
			s.begun, s.query.after, s.query.from, s.query.to = true, next, q.from, q.to
			if s.end = next == ""; !s.end {
				s.bound = key(pages[i][len(pages[i])-1])
			}
			return nil
		})
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	if err := m.learn(ctx, slices.Concat(pages...)); err != nil {
		return err
	}
	for i, s := range sources {
		m.left -= len(pages[i])
		for _, e := range pages[i] {
			if k := key(e); m.wanted(k) && (s.past == "" || k < s.past) && s.keep(e) {
				s.buf = append(s.buf, e)
			}
		}
	}
	return nil
}

// start bounds a query by what is known of where it begins. Positions have one
// length, so one with a digit more is the next one.
func (m *merge) start(q entries, bound string) entries {
	at := m.token
	if bound != "" && (at == "" || m.desc == (bound < at)) {
		at = bound
	}
	position, _, whole := strings.Cut(at, ".")
	switch {
	case at == "":
	case !m.desc:
		q.from = position
	case whole:
		q.to = position + "0"
	default:
		q.to = position
	}
	return q
}

func (m *merge) wanted(key string) bool {
	switch {
	case m.token == "":
		return true
	case m.desc:
		return key < m.token
	}
	return key > m.token
}

// page reads up to size entries; more says that others come after, from a token
// when the last entry is not it.
func (m *merge) page(ctx context.Context, size int) (page []*readmodel.Entry, next string, err error) {
	for {
		e, rest, err := m.next(ctx)
		switch {
		case err != nil:
			return nil, "", err
		case e == nil:
			return page, rest, nil
		case len(page) == size:
			return page, key(page[size-1]), nil
		}
		page = append(page, e)
	}
}
