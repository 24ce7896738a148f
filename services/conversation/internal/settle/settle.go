// Package settle performs what follows from a handle's stream in the streams of
// its owners. Nobody waits for it to be done: whoever comes by does the next
// step, and every step is one commit with an id of its own.
//
//	for every former period, in order:
//	    what is under way stays with its owner?  attach there, with the successors
//	    the fence is missing?                    detach there: units are handed over
//	a former owner is erased?                    what he had stays known in the handle's stream
//	the present owner is erased?                 release the handle
//	else                                         attach here: seen ids, successors
//
// An attachment is written last, so where the present tenure is attached all of
// it is done, and the way of a message costs nothing more.
package settle

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Hasher is the part of the keyring that is needed.
type Hasher interface {
	Hash(purpose string, parts ...string) string
}

// Settler settles handles. Safe for concurrent use.
type Settler struct {
	claims    *claim.Claimer
	customers *aggregate.Repository[customer.State]
	timeline  aggregate.Timeline
	keys      Hasher
}

// New makes a Settler.
func New(claims *claim.Claimer, customers *aggregate.Repository[customer.State], timeline aggregate.Timeline, keys Hasher) *Settler {
	return &Settler{claims: claims, customers: customers, timeline: timeline, keys: keys}
}

// attempts bounds how often a handle is followed from owner to owner.
const attempts = 16

// Claim is claim.Claimer.Claim with everything done that follows: the owner is
// living, and his stream takes messages of the handle's tenure (or attaches it
// with the first, where nobody had the handle before). A customer to claim for
// who was erased is replaced by a new one.
func (s *Settler) Claim(ctx context.Context, req claim.Request) (claim.Owned, error) {
	id := req.Evidence.ID
	for range attempts {
		look := s.claims.Look
		if req.Fresh {
			look = s.claims.Load
		}
		owned, err := look(ctx, req.Tenant, req.Address)
		if err != nil {
			return owned, err
		}
		if !owned.Owned() && req.Customer != "" { // his stream is asked, not what is shown of him
			st, err := s.customers.Load(ctx, req.Tenant, req.Customer)
			if err != nil {
				return owned, err
			}
			if st.Erased != "" {
				req.Customer, req.Evidence = "", event.Evidence{Kind: "new", ID: id}
			}
		}
		if !owned.Owned() && len(owned.Periods) > 0 && req.Unless != nil {
			if err := req.Unless(ctx, owned); err != nil {
				return owned, err
			}
		}
		own, err := s.claims.Claim(ctx, req)
		if err != nil {
			return own, err
		}
		if own, err = s.Handle(ctx, req.Tenant, own); err != nil || own.Owned() {
			return own, err
		}
		req.Fresh = true // released: it is claimed anew
	}
	return claim.Owned{}, fmt.Errorf("claim handle for %s: its owner changes all the time", id)
}

// Handle does what is left to do about a handle. What it returns has no owner
// when he was erased: then the handle is released.
func (s *Settler) Handle(ctx context.Context, tenant string, own claim.Owned) (claim.Owned, error) {
	for range attempts {
		if !own.Owned() {
			return own, nil
		}
		st, err := s.customers.Peek(ctx, tenant, own.Customer)
		if err != nil {
			return own, err
		}
		switch {
		case st.Erased != "":
			err = s.release(ctx, tenant, own)
		case own.Alone() || st.Attached(own.ID, own.Tenure):
			return own, nil
		default:
			err = s.walk(ctx, tenant, own)
		}
		if _, erased := errors.AsType[*customer.ErasedError](err); err != nil && !erased && !stale(err) {
			return own, err
		}
		if own, err = s.claims.Reload(ctx, tenant, own.ID); err != nil {
			return own, err
		}
	}
	return own, fmt.Errorf("settle handle %s: its owner changes all the time", own.ID)
}

// Load is Handle for a handle as it is stored now.
func (s *Settler) Load(ctx context.Context, tenant, id string) (claim.Owned, error) {
	own, err := s.claims.Reload(ctx, tenant, id)
	if err != nil {
		return own, err
	}
	return s.Handle(ctx, tenant, own)
}

func stale(err error) bool {
	_, ok := errors.AsType[*customer.StaleTenureError](err)
	return ok
}
