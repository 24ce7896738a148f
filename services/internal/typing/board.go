package typing

import (
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

const (
	// held is how long a signal counts unless it is repeated: browsers repeat it every ten seconds.
	held = 15 * time.Second
	// most customers who are typed to at once by one process; others are not shown it.
	most = 2000
)

// board knows who is typed to. It calls nobody and reads no clock.
type board struct {
	every time.Duration // between two calls for one customer
	marks map[place]*mark
}

type place struct {
	inbox string
	to    channel.Address
}

type mark struct {
	until time.Time // somebody types
	last  time.Time // the last call that said so
	shown bool      // and none has said the contrary
	busy  bool      // a call is under way
}

// call is one to make; done ends it.
type call struct {
	place
	on bool
}

func newBoard(every time.Duration) *board { return &board{every: every, marks: map[place]*mark{}} }

func (b *board) heard(p place, on bool, now time.Time) {
	m := b.marks[p]
	switch {
	case m == nil && (!on || len(b.marks) >= most):
		return
	case m == nil:
		m = &mark{}
		b.marks[p] = m
	}
	if !on {
		m.until = now
	} else {
		m.until = now.Add(held)
	}
}

// due are the calls to make now. Of one customer there is one at a time, so
// that none overtakes another.
func (b *board) due(now time.Time) (calls []call) {
	for p, m := range b.marks {
		types, free := now.Before(m.until), !now.Before(m.last.Add(b.every))
		switch {
		case m.busy:
		case types && free:
			m.busy, m.shown, m.last = true, true, now
			calls = append(calls, call{p, true})
		case !types && m.shown:
			m.busy, m.shown = true, false
			calls = append(calls, call{p, false})
		case !types && free:
			delete(b.marks, p)
		}
	}
	return calls
}

// done says that a call has ended, whatever came of it.
func (b *board) done(c call) {
	if m := b.marks[c.place]; m != nil {
		m.busy = false
	}
}

// pause is how long nothing is due unless something is heard or done.
func (b *board) pause(now time.Time) time.Duration {
	d := time.Hour
	for _, m := range b.marks {
		if m.busy {
			continue
		}
		next := m.last.Add(b.every)
		if m.shown && m.until.Before(next) {
			next = m.until
		}
		d = min(d, max(next.Sub(now), time.Millisecond))
	}
	return d
}
