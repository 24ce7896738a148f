// Package claim makes sure that a handle has an owner, once: however many
// first messages come at the same time, there is one tenure and one customer.
package claim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Claimer claims handles. Safe for concurrent use.
type Claimer struct {
	handles *aggregate.Repository[handle.State]
	keys    crypt.Keyring
	newID   func() string

	// Variants are keyed hashes of folded forms of an address, which suggest that
	// two handles may be one. Nil: none. Set it before the first use.
	Variants func(channel.Address) []string
}

// New makes a Claimer; newID gives ids for new customers.
func New(handles *aggregate.Repository[handle.State], keys crypt.Keyring, newID func() string) *Claimer {
	return &Claimer{handles: handles, keys: keys, newID: newID}
}

// Request is a claim, should the handle have no owner.
type Request struct {
	Tenant    string
	Address   channel.Address
	Customer  string // who proved to own it; empty: a new customer
	Assurance int
	Evidence  event.Evidence
	Actor     string
	Cause     string
	Trace     string
	Fresh     bool      // do not trust what is cached
	At        time.Time // when it was owned first; zero means now
	// Started is the order to write first that needs the handle: one that was
	// carried out for an erased owner is refused with *handle.StartedError.
	Started string
	// Unless is asked about a handle that was owned and is nobody's now, before
	// package settle claims it: an error is returned, and nothing is claimed.
	Unless func(context.Context, Owned) error
}

// Owned is a handle and its owner.
type Owned struct {
	ID string
	handle.State
}

// Attach lets the tenure's messages in at its owner. One that had former
// owners is attached by package settle only.
func (o Owned) Attach() customer.Attach {
	return customer.Attach{Handle: o.ID, Kind: o.Kind, Tenure: o.Tenure, Former: !o.Alone()}
}

// Knows says whether a message came in before a release of the handle: an
// erased owner had it.
func (o Owned) Knows(message string) bool { return slices.Contains(o.Seen, message) }

// Look returns the handle of an address as last known; it may have no owner.
func (c *Claimer) Look(ctx context.Context, tenant string, a channel.Address) (Owned, error) {
	id := handleid.Of(c.keys, a)
	s, err := c.handles.Peek(ctx, tenant, id)
	return Owned{ID: id, State: s}, err
}

// Load is Look with what happened up to now.
func (c *Claimer) Load(ctx context.Context, tenant string, a channel.Address) (Owned, error) {
	id := handleid.Of(c.keys, a)
	s, err := c.handles.Load(ctx, tenant, id)
	return Owned{ID: id, State: s}, err
}

// Claim returns the owner of the handle, who is req.Customer or a new one if there was none.
func (c *Claimer) Claim(ctx context.Context, req Request) (Owned, error) {
	o := Owned{ID: handleid.Of(c.keys, req.Address)}
	var err error
	if req.Fresh {
		o.State, err = c.handles.Load(ctx, req.Tenant, o.ID)
	} else {
		o.State, err = c.handles.Peek(ctx, req.Tenant, o.ID)
	}
	if err != nil || o.Owned() {
		return o, err
	}
	owner := req.Customer
	if owner == "" {
		owner = c.newID()
	}
	for !o.Owned() {
		if err := ctx.Err(); err != nil {
			return o, fmt.Errorf("claim handle: %w", err)
		}
		cmd := handle.Claim{
			Handle: o.ID, Tenure: o.Tenure + 1, Customer: owner, Kind: req.Address.Kind, Scope: req.Address.Scope,
			Assurance: req.Assurance, Evidence: req.Evidence, Started: req.Started,
		}
		out, err := c.handles.Execute(ctx, req.Tenant, o.ID, aggregate.Turn[handle.State]{
			ID:     cmd.CommitID(),
			Decide: func(s handle.State) ([]event.Event, error) { return handle.Decide(s, cmd) },
			Fill: func(ctx context.Context, _ handle.State, es []event.Event) error {
				return c.fillClaim(ctx, o.ID, req.Address, es)
			},
			Actor: req.Actor, Cause: req.Cause, Trace: req.Trace, At: req.At,
		})
		if err != nil {
			return o, err
		}
		o.State = out.State // released meanwhile: try for the next tenure
	}
	return o, nil
}

// Assure raises the level of a handle if it is lower.
func (c *Claimer) Assure(ctx context.Context, tenant string, o Owned, level int, ev event.Evidence) error {
	if level <= o.Assurance {
		return nil
	}
	cmd := handle.Assure{Handle: o.ID, Tenure: o.Tenure, Assurance: level, Evidence: ev}
	_, err := c.handles.Execute(ctx, tenant, o.ID, aggregate.Turn[handle.State]{
		ID:     cmd.CommitID(),
		Decide: func(s handle.State) ([]event.Event, error) { return handle.Decide(s, cmd) },
		Actor:  "system", Cause: ev.ID,
	})
	return err
}

// Reload returns the handle as it is stored now. It may have no owner.
func (c *Claimer) Reload(ctx context.Context, tenant, id string) (Owned, error) {
	s, err := c.handles.Load(ctx, tenant, id)
	return Owned{ID: id, State: s}, err
}

// Peek returns the handle as last known. It may have no owner.
func (c *Claimer) Peek(ctx context.Context, tenant, id string) (Owned, error) {
	s, err := c.handles.Peek(ctx, tenant, id)
	return Owned{ID: id, State: s}, err
}

// Address opens the address of an owned handle.
func (c *Claimer) Address(ctx context.Context, tenant, id string) (Owned, channel.Address, error) {
	s, err := c.handles.Peek(ctx, tenant, id)
	if err != nil {
		return Owned{}, channel.Address{}, err
	}
	o := Owned{ID: id, State: s}
	if !o.Owned() {
		return o, channel.Address{}, &customer.NotFoundError{What: "handle", ID: id}
	}
	a, err := seal.Open[event.Address](ctx, c.keys, s.Address, event.AddressAAD(id, s.AddressTenure))
	if err != nil {
		return o, channel.Address{}, fmt.Errorf("address of handle %s: %w", id, err)
	}
	return o, channel.Address{Kind: a.Kind, Scope: a.Scope, Address: a.Address, Name: a.Name}, nil
}
