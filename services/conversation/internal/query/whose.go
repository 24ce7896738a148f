package query

import (
	"cmp"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

// owner is the customer an entry is shown with: the one it is stored with,
// unless its unit went with a handle to another one. A move counts once the new
// owner's stream has it, so that at every moment exactly one has the message.
func (p *aPerson) owner(e *readmodel.Entry) string {
	h := p.handles[e.Handle]
	if e.Unit() == "" || !h.MovedAfter(e.Tenure) {
		return e.Customer
	}
	u := p.units[e.Unit()]
	if u == nil {
		return e.Customer
	}
	return p.ownerOf(u)
}

func (p *aPerson) ownerOf(u *readmodel.Unit) string {
	h := p.handles[u.Handle]
	if !h.MovedAfter(u.Tenure) {
		return u.Customer
	}
	settled := slices.DeleteFunc(slices.Clone(h.Periods), func(t tenure.Period) bool {
		return t.MoveID != "" && t.Number > u.Tenure && !reached(p.customers[t.Customer], h.ID, t.Number)
	})
	owner, _ := settled.Owner(u.Tenure, u.OpenedAt)
	return cmp.Or(owner, u.Customer)
}

// reached says that a customer's stream knows of a tenure.
func reached(c *readmodel.Customer, handle string, number int64) bool {
	if c == nil {
		return false
	}
	return c.Erased() || slices.ContainsFunc(c.Handles, func(h readmodel.CustomerHandle) bool {
		return h.Handle == handle && h.Tenure >= number
	})
}

// shows says whether an entry is on this person's timeline. Of an erased member
// nothing is but that he was erased; what others keep of him is not either.
func (p *aPerson) shows(e *readmodel.Entry) bool {
	if e.Hidden {
		return false
	}
	if e.Ref != "" && p.otherSide(e) {
		return false
	}
	if t := p.targets[e.ID]; t != nil && !t.Hidden && p.owner(t) == p.owner(e) {
		return false // shown on its message
	}
	if e.Unit() == "" {
		return p.member(e.Customer) && (!p.customers[e.Customer].Erased() || e.Verb == readmodel.VerbErased)
	}
	owner := p.owner(e)
	return p.member(owner) && !p.customers[owner].Erased()
}

// otherSide says that a line of two customers or conversations of this person
// is the second one: it is shown once.
func (p *aPerson) otherSide(e *readmodel.Entry) bool {
	if e.Conversation == "" {
		return p.member(e.Value) && e.Value < e.Customer
	}
	return p.byID[e.Value] != nil && e.Value < e.Conversation
}
