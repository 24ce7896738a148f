package projection

import (
	"context"
	"time"
)

// Paced gives a sink that pays by the batch, not by the commit, less and
// larger batches while much happens: between the beginnings of two Apply of a
// partition lies about every, and more, up to ten times that, when Apply takes
// more than a fifth of the time. A commit after a quiet time is applied at
// once, and a sink that is behind is not held up. All partitions keep the same
// beat, so that a store can write what they bring at once.
func Paced(s Sink, every time.Duration) Sink { return paced{s, every} }

type paced struct {
	Sink
	every time.Duration
}

// share is how much longer than Apply the time between two of them is.
const share = 5

// pace is the beat of one lane. The zero value does not wait.
type pace struct {
	every time.Duration
	began time.Time
	next  time.Time
}

func paceOf(s Sink) pace {
	if p, ok := s.(paced); ok {
		return pace{every: p.every}
	}
	return pace{}
}

// begin and end stand around a batch; small says that the sink is up to date.
func (p *pace) begin() {
	if p.every > 0 {
		p.began = time.Now()
	}
}

func (p *pace) end(small bool) {
	p.next = time.Time{}
	if small && p.every > 0 {
		after := min(max(p.every, share*time.Since(p.began)), 10*p.every)
		p.next = p.began.Add(after).Truncate(p.every)
		if p.next.Before(p.began) {
			p.next = p.next.Add(p.every)
		}
	}
}

// wait returns at the next beat, or when ctx ends.
func (p *pace) wait(ctx context.Context) {
	d := time.Until(p.next)
	if p.next.IsZero() || d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
