package email

import (
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// States of an inbox's health.
const (
	stateOK             = "ok"
	stateConnecting     = "connecting"
	stateNeedsAttention = "needs_attention"
)

// side of an inbox: receiving and sending work and fail on their own.
type side int

const (
	receiving side = iota
	sending
)

// board keeps how both sides of each inbox do and tells the registry the
// worse of them. Safe for concurrent use.
type board struct {
	registry inbox.Registry

	mu    sync.Mutex
	sides map[string]*[2]inbox.Health
}

// set says how a side does. "connecting" without a reason does not hide a
// trouble that is known: another try is no news.
func (b *board) set(id string, s side, state, detail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	both := b.sides[id]
	if both == nil {
		both = &[2]inbox.Health{}
		b.sides[id] = both
	}
	now := &both[s]
	if state == stateConnecting && detail == "" && now.State != stateOK && now.Detail != "" || now.State == state && now.Detail == detail {
		return
	}
	*now = inbox.Health{State: state, Detail: detail}
	worst := both[receiving]
	if worst.State == "" || worse(both[sending].State, worst.State) {
		worst = both[sending]
	}
	b.registry.SetHealth(id, worst)
}

// notice is what an operator should know of an inbox that works.
func (c config) notice() string {
	if c.verify.how == verifyOff {
		return "Senders are not verified: any mail can claim any sender. See the setting “Verify senders”."
	}
	return ""
}

// forget drops what is known of an inbox that is started anew.
func (b *board) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sides, id)
}

// came and went note the time of a mail.
func (b *board) came(id string) { b.registry.SetHealth(id, inbox.Health{LastIn: time.Now()}) }

func (b *board) went(id string) {
	b.set(id, sending, stateOK, "")
	b.registry.SetHealth(id, inbox.Health{LastOut: time.Now()})
}

func worse(a, b string) bool {
	rank := map[string]int{"": 0, stateOK: 1, stateConnecting: 2, stateNeedsAttention: 3}
	return rank[a] > rank[b]
}
