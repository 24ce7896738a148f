// Package estate says what belongs to a customer: not what his stream holds,
// but what derives to him. A handle that was moved takes whole units along, so
// some of his may be stored in the streams of former owners of a handle, and
// some in his stream may be others'. Erasure, export and retention ask here.
//
//	his stream ── units whose tenure leads to him ─┐
//	           ── notes, attributes, events, holds ┼─► Walk
//	other streams ── units that were moved to him ─┘
package estate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Reader reads streams of one tenant. It sees what is stored at call time.
type Reader struct {
	Events eventstore.Store
	Tenant string
}

// Unit is a part of a conversation that has one owner.
type Unit struct {
	Key          string
	Home         string // customer whose stream it is stored in
	Conversation string // of a change: its message's, "" while that is not known
	Handle       string
	Tenure       int64
	Opened       time.Time
	Owner        string // "" when its handle's stream does not tell any more
}

// Estate is what belongs to one customer.
type Estate struct {
	Customer string
	// Handles ever his, in the order they were met.
	Handles []*Handle
	// Units of his, wherever they are stored.
	Units []Unit
	// Foreign are units in his own stream that belong to somebody else.
	Foreign []Unit
	// Homes are the streams that hold something of his; his own first.
	Homes []string
	// Conversations stored in his stream.
	Conversations []string
}

// Handle finds one of his handles, nil when it is not.
func (e *Estate) Handle(id string) *Handle {
	for _, h := range e.Handles {
		if h.ID == id {
			return h
		}
	}
	return nil
}

// Of finds what belongs to a customer. Further handles are those known to be
// his from elsewhere: one that was claimed for him and is not attached yet.
func (r *Reader) Of(ctx context.Context, customer string, further ...string) (*Estate, error) {
	e := &Estate{Customer: customer, Homes: []string{customer}}
	home, err := r.home(ctx, customer)
	if err != nil {
		return nil, err
	}
	e.Conversations = home.conversations
	handles := map[string]*Handle{}
	load := func(id string) (*Handle, error) {
		if handles[id] == nil {
			h, err := r.LoadHandle(ctx, id)
			if err != nil {
				return nil, err
			}
			handles[id] = h
		}
		return handles[id], nil
	}
	for _, id := range unique(append(slices.Clone(home.handles), further...)) {
		h, err := load(id)
		if err != nil {
			return nil, err
		}
		e.Handles = append(e.Handles, h)
	}
	for _, u := range home.units {
		if err := r.own(u, load); err != nil {
			return nil, err
		}
		if u.Owner == customer || u.Owner == "" {
			e.Units = append(e.Units, *u)
		} else {
			e.Foreign = append(e.Foreign, *u)
		}
	}
	var others []string
	for _, h := range e.Handles {
		others = append(others, h.Movers(customer)...)
	}
	for _, other := range unique(others) {
		there, err := r.home(ctx, other)
		if err != nil {
			return nil, err
		}
		found := false
		for _, u := range there.units {
			if err := r.own(u, load); err != nil {
				return nil, err
			}
			if u.Owner == customer {
				e.Units = append(e.Units, *u)
				found = true
			}
		}
		if found {
			e.Homes = append(e.Homes, other)
		}
	}
	return e, nil
}

func (r *Reader) own(u *Unit, load func(string) (*Handle, error)) error {
	h, err := load(u.Handle)
	if err != nil {
		return err
	}
	u.Owner, _ = h.History.Owner(u.Tenure, u.Opened)
	return nil
}

// home is what a stream tells of its units.
type home struct {
	units         []*Unit
	handles       []string
	conversations []string
}

func (r *Reader) home(ctx context.Context, customer string) (home, error) {
	var out home
	units := map[string]*Unit{}
	attached := map[string]int64{}
	refs, changes := map[string]string{}, map[string]string{} // reference → conversation, unit of a change → its target
	add := func(u Unit) {
		if units[u.Key] == nil {
			units[u.Key] = &u
			out.units = append(out.units, &u)
		}
	}
	err := r.each(ctx, customer, func(c eventstore.Commit, _ int, ev event.Event) error {
		switch e := ev.(type) {
		case event.HandleAttached:
			attached[e.Handle] = e.Tenure
			out.handles = append(out.handles, e.Handle)
		case event.HandleDetached:
			out.handles = append(out.handles, e.Handle)
		case event.ConversationOpened:
			out.conversations = append(out.conversations, e.Conversation)
			carried(customer, e.Conversation, e.Carried, attached, add)
		case event.ConversationCarried:
			carried(customer, e.Conversation, e.Carried, attached, add)
		case event.MessageReceived:
			for _, ref := range e.Refs {
				refs[ref] = e.Conversation
			}
			opened := e.OccurredAt
			if e.UnitOpened != nil {
				opened = *e.UnitOpened
			}
			add(Unit{Key: e.Unit, Home: customer, Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure, Opened: opened})
		case event.ReplyProgressed:
			for _, ref := range e.Refs {
				refs[ref] = e.Conversation
			}
		case event.MessageChanged:
			changes[e.Unit] = e.Target
			add(Unit{Key: e.Unit, Home: customer, Handle: e.Handle, Tenure: e.Tenure, Opened: e.OccurredAt})
		case event.ReplyRequested:
			opened := c.RecordedAt
			if e.UnitOpened != nil {
				opened = *e.UnitOpened
			}
			add(Unit{Key: e.Unit, Home: customer, Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure, Opened: opened})
		}
		return nil
	})
	for unit, target := range changes { // what was done to a message is kept as long as it
		units[unit].Conversation = refs[target]
	}
	out.handles = unique(out.handles)
	return out, err
}

// carried are units that go on under a new name: they began when the old ones did.
func carried(customer, conversation string, handed []event.Handed, attached map[string]int64, add func(Unit)) {
	for _, h := range handed {
		handle, ok := HandleOf(h.Unit)
		if !ok {
			continue
		}
		n := attached[handle]
		add(Unit{
			Key: event.UnitKey(conversation, handle, n), Home: customer, Conversation: conversation,
			Handle: handle, Tenure: n, Opened: h.OpenedAt,
		})
	}
}

// each yields the events of a customer's stream with their commits.
func (r *Reader) each(ctx context.Context, customer string, fn func(c eventstore.Commit, i int, ev event.Event) error) error {
	stream := "customer." + customer
	partition := r.Events.PartitionOf(r.Tenant, stream)
	for c, err := range r.Events.Load(ctx, r.Tenant, stream, 0) {
		if err != nil {
			return fmt.Errorf("read customer %s: %w", customer, err)
		}
		c.Tenant, c.Stream, c.Partition = r.Tenant, stream, partition
		events, err := codec.Decode(c)
		if err != nil {
			return err
		}
		for i, ev := range events {
			if err := fn(c, i, ev); err != nil {
				return err
			}
		}
	}
	return nil
}
