package readmodel

import (
	"maps"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
	"github.com/weftline/weftline/services/internal/crypt"
)

// KindCustomer is the constant the list of all customers is keyed by. An
// erased one is in no list, but found by his id for ever.
const (
	KindCustomer = "customer"
	KindErased   = "erased"
)

// Customer is what his own stream says of him. Addresses are in Handle.
type Customer struct {
	ID        string `json:"-"`
	Kind      string `json:"kind"`
	Last      string `json:"last"`
	LastAt    int64  `json:"last_at"`
	CreatedAt int64  `json:"created_at"`
	// Heads are his stream's newest entries, newest first: a person's page looks
	// at no others of him while these will do, and not at him at all when they
	// are too old.
	Heads   []Head           `json:"heads,omitempty"`
	Handles []CustomerHandle `json:"handles,omitempty"`
	// Name is how he called himself last, sealed under the key of the body it is from.
	Name       Excerpt                 `json:"name,omitzero"`
	NameAt     int64                   `json:"name_at,omitempty"`
	Attributes map[string]crypt.Sealed `json:"attributes,omitempty"`
	// SetAt is when each attribute was set.
	SetAt map[string]int64 `json:"set_at,omitempty"`
	// Meter is what the repeat meter remembers of him.
	Meter repeat.Meter `json:"meter,omitzero"`
	// Figures: what he said and was told, his conversations and how many are open.
	Messages      int64  `json:"messages,omitempty"`
	Conversations int64  `json:"conversations,omitempty"`
	Open          int64  `json:"open,omitempty"`
	Holds         []Hold `json:"holds,omitempty"` // legal holds in force
	// Reaches are whether and how long handles may be written to over inboxes.
	Reaches []Reach `json:"reaches,omitempty"`
}

// Reach is what is known of writing to a handle over an inbox.
type Reach struct {
	Handle string `json:"handle"`
	Inbox  string `json:"inbox"`
	LastAt int64  `json:"last_at,omitempty"` // of his last message
	// Wish is what he said last of being written to ("out", "in", "" for nothing),
	// when, in which message, and who wrote it down.
	Wish    string `json:"wish,omitempty"`
	At      int64  `json:"at,omitempty"`
	Message string `json:"message,omitempty"`
	Actor   string `json:"actor,omitempty"`
	// Unasked: he opted out of what he does not ask for. AskedAt is when his last
	// message came that no machine wrote.
	Unasked bool  `json:"unasked,omitempty"`
	AskedAt int64 `json:"asked_at,omitempty"`
}

// Refuses says that an answer to who asked last at a time may not be sent.
func (r Reach) Refuses(askedAt int64) bool {
	return r.Wish == WishOut && !(r.Unasked && askedAt > r.At)
}

// WishOut is Reach.Wish of who opted out.
const WishOut = "out"

// maxReaches bounds Customer.Reaches; what was opted out of is not forgotten.
const maxReaches = 200

// Reach is what is known of a handle over an inbox.
func (c *Customer) Reach(handle, inbox string) Reach {
	if c != nil {
		for _, r := range c.Reaches {
			if r.Handle == handle && r.Inbox == inbox {
				return r
			}
		}
	}
	return Reach{Handle: handle, Inbox: inbox}
}

// OptedOut finds the handle over which an inbox was opted out of.
func (c *Customer) OptedOut(inbox string) (Reach, bool) {
	if c != nil {
		for _, r := range c.Reaches {
			if r.Inbox == inbox && r.Wish == WishOut {
				return r, true
			}
		}
	}
	return Reach{}, false
}

// reach changes a copy of what is known.
func (c *Customer) reach(handle, inbox string, edit func(*Reach)) {
	r := c.Reach(handle, inbox)
	edit(&r)
	rest := slices.DeleteFunc(slices.Clone(c.Reaches), func(o Reach) bool { return o.Handle == handle && o.Inbox == inbox })
	if len(rest) >= maxReaches {
		if i := slices.IndexFunc(rest, func(o Reach) bool { return o.Wish != WishOut }); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
	}
	c.Reaches = append(rest, r)
}

// Hold is a legal hold and who placed it.
type Hold struct {
	ID     string       `json:"id"`
	Reason crypt.Sealed `json:"reason,omitzero"`
	Actor  string       `json:"actor"`
	At     int64        `json:"at"`
}

// Head is an entry and its place.
type Head struct {
	ID       string `json:"id"`
	Position string `json:"p"`
}

// maxHeads is how many are kept.
const maxHeads = 4

// Top is the position of his newest entry, "" when he has none.
func (c *Customer) Top() string {
	if c == nil || len(c.Heads) == 0 {
		return ""
	}
	return c.Heads[0].Position
}

// said notes a new entry. The slice is copied: a document may be shared.
func (c *Customer) said(e *Entry) {
	c.Heads = append([]Head{{e.ID, e.Position}}, c.Heads[:min(len(c.Heads), maxHeads-1)]...)
}

// CustomerHandle is a tenure of his, over when Ended.
type CustomerHandle struct {
	Handle string `json:"handle"`
	Kind   string `json:"kind"`
	Tenure int64  `json:"tenure"`
	Ended  bool   `json:"ended,omitempty"`
}

// Attached says whether messages of a tenure still belong to him. A nil customer has none.
func (c *Customer) Attached(handle string, tenure int64) bool {
	if c == nil {
		return false
	}
	for _, h := range c.Handles {
		if h.Handle == handle && h.Tenure == tenure {
			return !h.Ended
		}
	}
	return false
}

// tenure is the one of a handle that is attached now, 0 for none.
func (c *Customer) tenure(handle string) int64 {
	if c != nil {
		for _, h := range c.Handles {
			if h.Handle == handle && !h.Ended {
				return h.Tenure
			}
		}
	}
	return 0
}

// Apply folds one event of his stream and says whether it changed the document.
func (c *Customer) Apply(p Place, ev event.Event) bool {
	switch v := ev.(type) {
	case event.CustomerCreated:
		*c = Customer{ID: p.Customer, Kind: KindCustomer, CreatedAt: micro(p.At)}
		c.touch(p)
	case event.HandleAttached:
		hs := slices.DeleteFunc(slices.Clone(c.Handles), func(h CustomerHandle) bool {
			return h.Handle == v.Handle && h.Tenure <= v.Tenure
		})
		for _, r := range v.Reach {
			c.reach(v.Handle, r.Inbox, func(now *Reach) {
				now.LastAt, now.AskedAt, now.Unasked = micro(r.LastAt), micro(r.AskedAt), r.Unasked
				if !r.OutAt.IsZero() {
					now.At, now.Message, now.Wish, now.Actor = micro(r.OutAt), r.Message, "in", ""
				}
				if r.Out {
					now.Wish = WishOut
				}
			})
		}
		c.Handles = append(hs, CustomerHandle{Handle: v.Handle, Kind: v.Kind, Tenure: v.Tenure})
	case event.HandleDetached:
		c.Handles = slices.Clone(c.Handles)
		for i, h := range c.Handles {
			if h.Handle == v.Handle && h.Tenure <= v.Tenure {
				c.Handles[i].Ended = true
			}
		}
		// He was only passed through: units of that time may be his all the same.
		if !slices.ContainsFunc(c.Handles, func(h CustomerHandle) bool { return h.Handle == v.Handle && h.Tenure >= v.Tenure }) {
			c.Handles = append(c.Handles, CustomerHandle{Handle: v.Handle, Tenure: v.Tenure, Ended: true})
		}
	case event.ConsentSet:
		c.reach(v.Handle, v.Inbox, func(r *Reach) {
			r.Wish, r.At, r.Message, r.Actor, r.Unasked = v.Wish, micro(p.At), v.Message, p.Actor, v.Unasked
		})
	case event.MessageReceived:
		c.Messages++
		if !v.Imported {
			c.reach(v.Handle, v.Inbox, func(r *Reach) {
				r.LastAt = micro(p.At)
				if !automatic(v.Flags) {
					r.AskedAt = micro(p.At)
				}
			})
		}
		c.touch(p)
	case event.ReplyRequested:
		c.Messages++
		c.touch(p)
	case event.ConversationOpened:
		c.Conversations++
	case event.HoldPlaced:
		c.Holds = append(slices.Clip(c.Holds), Hold{ID: v.Hold, Reason: v.Reason, Actor: p.Actor, At: micro(p.At)})
	case event.HoldLifted:
		c.Holds = slices.DeleteFunc(slices.Clone(c.Holds), func(h Hold) bool { return h.ID == v.Hold })
	case event.AttributeSet:
		c.Attributes, c.SetAt = copied(c.Attributes), copied(c.SetAt)
		if v.Removed {
			delete(c.Attributes, v.Name)
			delete(c.SetAt, v.Name)
		} else {
			c.Attributes[v.Name], c.SetAt[v.Name] = v.Value, micro(p.At)
		}
	case event.ConversationRetired:
		c.Heads = nil // some of them may be gone; what comes begins them anew
	case event.CustomerErased:
		*c = Customer{ID: p.Customer, Kind: KindErased, Last: c.Last, LastAt: c.LastAt, CreatedAt: c.CreatedAt, Heads: c.Heads}
		if c.Last == "" { // his stream was empty
			c.touch(p)
		}
	default:
		return false
	}
	return true
}

// copied is a map to be changed: a document may be shared.
func copied[V any](m map[string]V) map[string]V {
	out := make(map[string]V, len(m)+1)
	maps.Copy(out, m)
	return out
}

// Recent are the ids of his last conversations; all says that he has no others.
func (c *Customer) Recent() (ids []string, all bool) { return c.Meter.Conversations() }

// Erased says that nothing else is known of him.
func (c *Customer) Erased() bool { return c != nil && c.Kind == KindErased }

func (c *Customer) touch(p Place) { c.Last, c.LastAt = p.Last(), micro(p.At) }
