package audit

import (
	"sync"
	"time"
)

// Repeats within this time are one entry: a console loads the same timeline
// again and again while an agent works on it.
const repeatWindow = 5 * time.Minute

// repeated are the actions of which repeats are left out. Downloads, searches
// and whatever changes something are always recorded.
var repeated = map[string]bool{ReadTimeline: true, ReadCustomer: true, ReadCustomers: true, ReadAudit: true, LoginLimited: true}

// maxRemembered bounds the memory of repeats; forgetting records once more.
const maxRemembered = 100_000

// once remembers what was recorded lately.
type once struct {
	now func() time.Time
	mu  sync.Mutex
	at  map[onceKey]time.Time
}

type onceKey struct{ actor, from, action, outcome, customer, conversation, object string }

func newOnce(now func() time.Time) *once { return &once{now: now, at: map[onceKey]time.Time{}} }

// again says whether the entry repeats one; else it is remembered.
func (o *once) again(e Entry) (onceKey, bool) {
	k := onceKey{e.Actor, e.From, e.Action, e.Outcome, e.Customer, e.Conversation, e.Object}
	if !repeated[e.Action] {
		return k, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if at, ok := o.at[k]; ok && now.Sub(at) < repeatWindow {
		return k, true
	}
	if len(o.at) >= maxRemembered {
		o.sweep(now)
	}
	o.at[k] = now
	return k, false
}

func (o *once) sweep(now time.Time) {
	for k, at := range o.at {
		if now.Sub(at) >= repeatWindow {
			delete(o.at, k)
		}
	}
	if len(o.at) >= maxRemembered {
		clear(o.at)
	}
}

func (o *once) forget(k onceKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.at, k)
}
