package chat

import (
	"sync"
	"time"
)

// pending are messages that were accepted and have not come back in the
// transcript yet, by handle. Whoever joins meanwhile is shown them, and the
// transcript is read again until they are there. In memory only: it closes a
// gap of milliseconds, and after a minute something else is wrong.
type pending struct {
	mu sync.Mutex
	by map[string][]pendingItem
}

type pendingItem struct {
	itemFrame
	until time.Time
}

const (
	pendingLife = time.Minute
	pendingMost = 50 // of one handle
)

// add says whether it was not waited for already.
func (p *pending) add(handleID string, it itemFrame, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[string][]pendingItem{}
	}
	list := p.by[handleID]
	for _, x := range list {
		if x.ClientID == it.ClientID {
			return false
		}
	}
	if len(list) == pendingMost {
		list = list[1:]
	}
	p.by[handleID] = append(list, pendingItem{itemFrame: it, until: now.Add(pendingLife)})
	return true
}

// seen forgets what the transcript has.
func (p *pending) seen(handleID, clientID string) {
	if clientID != "" {
		p.keep(handleID, func(x pendingItem) bool { return x.ClientID != clientID })
	}
}

// of lists what is still waited for.
func (p *pending) of(handleID string, now time.Time) []itemFrame {
	var items []itemFrame
	for _, x := range p.keep(handleID, func(x pendingItem) bool { return x.until.After(now) }) {
		items = append(items, x.itemFrame)
	}
	return items
}

func (p *pending) sweep(now time.Time) {
	p.mu.Lock()
	handles := make([]string, 0, len(p.by))
	for h := range p.by {
		handles = append(handles, h)
	}
	p.mu.Unlock()
	for _, h := range handles {
		p.of(h, now)
	}
}

func (p *pending) keep(handleID string, ok func(pendingItem) bool) []pendingItem {
	p.mu.Lock()
	defer p.mu.Unlock()
	var kept []pendingItem // a new slice: others may hold the old one
	for _, x := range p.by[handleID] {
		if ok(x) {
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		delete(p.by, handleID)
	} else {
		p.by[handleID] = kept
	}
	return kept
}
