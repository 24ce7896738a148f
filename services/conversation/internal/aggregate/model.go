// Package aggregate is the shell around the pure deciders: load, fold, decide,
// seal, append with the expected sequence; on a conflict reload and decide again.
//
//	cache ─► state ─► Decide ─► events ─► Fill (keys, seal) ─► Append(expect) ─► Evolve ─► cache
//	  ▲                                                          │ conflict
//	  └──────────────── load the tail ◄──────────────────────────┘
package aggregate

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/join"
	"github.com/weftline/weftline/services/conversation/internal/link"
)

// Model is a pure aggregate.
type Model[S any] struct {
	Kind    string // first token of its streams
	Version int    // of the state's JSON
	Evolve  func(S, event.Commit) S
	// Refold says with which state to begin a fold of the whole stream when a
	// decision failed because the bounded state had forgotten something.
	Refold func(S, error) (S, bool)
	// Asks says that an error of Decide is a question, as good on a stale state
	// as on the newest: it is returned without loading. Nil: none is.
	Asks func(error) bool
	// Keep is what of a state is kept for later turns. Nil: all of it.
	Keep func(S) S
}

// Customer is the model of customer streams, their states within bounds.
func Customer(bounds customer.Bounds) Model[customer.State] {
	return Model[customer.State]{
		Kind: "customer", Version: customer.StateVersion, Evolve: bounds.Evolve, Keep: bounds.Trim,
		Asks: func(err error) bool {
			_, ok := errors.AsType[*customer.RecallError](err)
			return ok
		},
		Refold: func(s customer.State, err error) (customer.State, bool) {
			missing, ok := errors.AsType[*customer.MissingError](err)
			if !ok {
				return customer.State{}, false
			}
			if missing.Conversation == "" {
				return customer.State{Whole: true}, true
			}
			const pins = 16
			return customer.State{Pinned: append(s.Pinned[max(0, len(s.Pinned)-pins+1):len(s.Pinned):len(s.Pinned)], missing.Conversation)}, true
		},
	}
}

// Handle is the model of handle streams.
func Handle() Model[handle.State] {
	return Model[handle.State]{
		Kind: "handle", Version: handle.StateVersion, Evolve: handle.Evolve,
		Refold: func(handle.State, error) (handle.State, bool) { return handle.State{}, false },
	}
}

// Link is the model of link streams: pairs of customers.
func Link() Model[link.State] {
	return Model[link.State]{
		Kind: "link", Version: link.StateVersion, Evolve: link.Evolve,
		Refold: func(link.State, error) (link.State, bool) { return link.State{}, false },
	}
}

// Join is the model of join streams: pairs of conversations.
func Join() Model[join.State] {
	return Model[join.State]{
		Kind: "join", Version: join.StateVersion, Evolve: join.Evolve,
		Refold: func(join.State, error) (join.State, bool) { return join.State{}, false },
	}
}

// Turn is one attempt to change an aggregate.
type Turn[S any] struct {
	ID string // commit id
	// Name gives the commit id instead of ID where the state is part of it.
	Name func(S) string
	// Decide is pure. It may be called several times, with newer states.
	Decide func(S) ([]event.Event, error)
	// Fill completes decided events (seals bodies) before they are appended;
	// it may replace elements. Nil: nothing to complete.
	Fill func(ctx context.Context, s S, events []event.Event) error

	Actor, Cause, Trace string
	// Seen is the newest recorded_at the author had seen in other streams.
	Seen time.Time
	// At is when it happened, for what is written down later; zero means now.
	At time.Time
}
