package resolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Handle is what the index knows of a handle, from its own stream.
type Handle struct {
	ID        string `json:"-"`
	Kind      string `json:"kind"`
	Scope     string `json:"scope,omitempty"`
	Customer  string `json:"customer"` // "" when nobody owns it
	Tenure    int64  `json:"tenure"`
	Level     int    `json:"level"`               // of the present tenure
	Highest   int    `json:"highest,omitempty"`   // of tenures before a move: a login stays one
	Qualifier string `json:"qualifier,omitempty"` // shared, role, blocked
	// Address is JSON of event.Address, sealed in the tenure AddressTenure.
	Address       crypt.Sealed `json:"address,omitzero"`
	AddressTenure int64        `json:"address_tenure,omitempty"`
	Match         []string     `json:"match,omitempty"`
	Moves         []Move       `json:"moves,omitempty"`  // oldest first, the last ones
	Proven        []string     `json:"proven,omitempty"` // who owned it at the level that counts for sharing
}

// Move is a handle taken from a customer by an agent.
type Move struct {
	From    string   `json:"from"`
	At      int64    `json:"at"` // recorded, µs
	Refuses []string `json:"refuses,omitempty"`
}

// maxMoves bounds what is remembered of a handle that wanders.
const maxMoves = 20

// Claim is what a customer says of a handle: that it is his. It is written from
// his own stream.
type Claim struct {
	Handle   string       `json:"handle"`
	Customer string       `json:"customer"`
	Kind     string       `json:"kind"`
	Level    int          `json:"level"` // the best so far
	Message  string       `json:"message"`
	At       int64        `json:"at"`
	Match    []string     `json:"match,omitempty"`
	Address  crypt.Sealed `json:"address,omitzero"`
}

// ID of the document.
func (c Claim) ID() string { return c.Handle + "." + c.Customer }

// match says that a handle, or a customer's claim of it, folds to a hash.
type match struct {
	Match    string `json:"match"`
	Handle   string `json:"handle"`
	Claimant string `json:"claimant,omitempty"` // "": the handle's owner, whoever he is
}

func (m match) id() string { return m.Match + "." + m.Handle + "." + m.Claimant }

// index is the documents of one set of rules.
type index struct {
	store                    docstore.Store
	name                     string
	handles, claims, matches string
	checkpoint               string
}

// Names of indexes.
const (
	byCustomer = "customer"
	byHandle   = "handle"
	byMatch    = "match"
)

func indexNamed(s docstore.Store, name string) *index {
	return &index{
		store: s, name: name, handles: "resolve_handles_" + name, claims: "resolve_claims_" + name,
		matches: "resolve_matches_" + name, checkpoint: "resolve_" + name,
	}
}

func (x *index) collections() []docstore.Collection {
	return []docstore.Collection{
		{Name: x.handles, Indexes: []docstore.Index{{Name: byCustomer, Prefix: []string{"customer"}}}},
		{Name: x.claims, Indexes: []docstore.Index{{Name: byHandle, Prefix: []string{"handle"}}}},
		{Name: x.matches, Indexes: []docstore.Index{{Name: byMatch, Prefix: []string{"match"}}}},
	}
}

// Forget removes the index of a set of rules. It is filled again from the first commit.
func Forget(ctx context.Context, s docstore.Store, digest string) error {
	x, err := openIndex(ctx, s, digest)
	if err != nil {
		return err
	}
	if err := x.drop(ctx); err != nil {
		return fmt.Errorf("forget index of identities: %w", err)
	}
	return nil
}

// handle finds one; the zero Handle with its id when nothing is known.
func (x *index) handle(ctx context.Context, id string) (Handle, error) {
	h := Handle{ID: id}
	d, err := x.store.Get(ctx, x.handles, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(d.JSON, &h)
	}
	if err != nil {
		return h, fmt.Errorf("handle of the index: %w", err)
	}
	return h, nil
}

// handlesOf are the handles of some customers.
func (x *index) handlesOf(ctx context.Context, customers []string) ([]Handle, error) {
	var out []Handle
	for _, c := range customers {
		found, err := list[Handle](ctx, x.store, x.handles, byCustomer, c, 500)
		if err != nil {
			return nil, err
		}
		for id, h := range found {
			h.ID = id
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Handle) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// claimsOf are the customers who say that a handle is theirs, up to limit.
func (x *index) claimsOf(ctx context.Context, handle string, limit int) ([]Claim, error) {
	found, err := list[Claim](ctx, x.store, x.claims, byHandle, handle, limit)
	return sorted(found), err
}

// matching are the handles and claims that fold to a hash, up to limit.
func (x *index) matching(ctx context.Context, hash string, limit int) ([]match, error) {
	found, err := list[match](ctx, x.store, x.matches, byMatch, hash, limit)
	return sorted(found), err
}

func list[T any](ctx context.Context, s docstore.Store, collection, index, key string, limit int) (map[string]T, error) {
	items, err := s.List(ctx, collection, docstore.Query{Index: index, Prefix: []any{key}, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	out := make(map[string]T, len(items))
	for _, it := range items {
		var v T
		if err := json.Unmarshal(it.JSON, &v); err != nil {
			return nil, fmt.Errorf("read document of %s: %w", collection, err)
		}
		out[it.ID] = v
	}
	return out, nil
}

// sorted are the documents in the order of their ids.
func sorted[T any](found map[string]T) []T {
	out := make([]T, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[id])
	}
	return out
}

// apply folds one event of its stream.
func (h *Handle) apply(at int64, shared Shared, ev event.Event) {
	switch e := ev.(type) {
	case event.HandleClaimed:
		*h = Handle{
			ID: h.ID, Kind: e.Kind, Scope: e.Scope, Customer: e.Customer, Tenure: e.Tenure, Level: e.Assurance,
			Address: e.Address, AddressTenure: e.Tenure, Match: e.Match,
			Qualifier: h.Qualifier, Moves: h.Moves, Proven: h.Proven,
		}
		h.proven(shared, e.Assurance)
	case event.HandleMoved:
		h.Customer, h.Tenure, h.Level, h.Highest = e.To, e.Tenure, 0, max(h.Highest, h.Level)
		if len(e.Address.Box) > 0 {
			h.Address, h.AddressTenure = e.Address, e.Tenure
		}
		h.Moves = append(h.Moves, Move{From: e.From, At: at, Refuses: e.Refuses})
		h.Moves = h.Moves[max(0, len(h.Moves)-maxMoves):]
	case event.HandleReleased:
		h.Customer, h.Tenure, h.Level, h.Highest = "", max(h.Tenure, e.Tenure), 0, 0
		h.Address, h.AddressTenure, h.Match = crypt.Sealed{}, 0, nil
	case event.HandleAssured:
		h.Level = max(h.Level, e.Assurance)
		h.proven(shared, e.Assurance)
	case event.HandleQualified:
		if h.Qualifier = e.Qualifier; h.Qualifier == "none" {
			h.Qualifier = ""
		}
	}
}

// proven notes an owner by his own evidence: being given a handle by an agent is none.
func (h *Handle) proven(shared Shared, level int) {
	if level >= shared.Level && h.Customer != "" && !slices.Contains(h.Proven, h.Customer) {
		h.Proven = append(h.Proven, h.Customer)
		h.Proven = h.Proven[max(0, len(h.Proven)-2*shared.Owners):]
	}
}

// took says whether an agent took the handle from a customer after a proof: what
// was proven before counts no more.
func (h *Handle) took(customer string, at int64, evidence ...string) bool {
	return slices.ContainsFunc(h.Moves, func(m Move) bool {
		return m.From == customer && (m.At >= at || slices.ContainsFunc(evidence, func(e string) bool {
			return e != "" && slices.Contains(m.Refuses, e)
		}))
	})
}
