package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/ledger"
)

// Collections in the state store. Ids, key names and keyed hashes only.
const (
	colErasures = "erasures"
	colParts    = "erasure_parts"
	colApplied  = "erasure_applied" // entries of the ledger this store knows
)

// States of an erasure, in their order.
const (
	Requested = "requested"
	Fenced    = "fenced"
	Released  = "released"
	Shredded  = "shredded"
	Cleaned   = "cleaned"
	Purged    = "purged"
	Done      = "done"
)

// Erasure is one order and how far it is. Stored: names stay.
type Erasure struct {
	ID          string    `json:"-"`
	Customers   []string  `json:"customers"`
	State       string    `json:"state"`
	Open        bool      `json:"open"` // not done
	Actor       string    `json:"actor"`
	RequestedAt time.Time `json:"requested_at"`
	DoneAt      time.Time `json:"done_at,omitzero"`
	Trouble     string    `json:"trouble,omitempty"`
	Sort        int64     `json:"sort"`           // RequestedAt, µs
	Held        []string  `json:"held,omitempty"` // were put under a hold meanwhile: not erased
	Planned     bool      `json:"planned,omitempty"`
	// Replayed: from the ledger, over an older copy of the data.
	Replayed bool     `json:"replayed,omitempty"`
	Handles  []string `json:"handles,omitempty"` // known to be theirs from elsewhere
}

// part is a piece of what an erasure destroys. Stored: names stay.
type part struct {
	Erase         string          `json:"erase"`
	Customer      string          `json:"customer"`
	N             int             `json:"n"`
	Keys          []string        `json:"keys,omitempty"`
	Blobs         []string        `json:"blobs,omitempty"`
	Inputs        []string        `json:"inputs,omitempty"`
	Replies       []string        `json:"replies,omitempty"`
	Conversations []string        `json:"conversations,omitempty"`
	Handles       []string        `json:"handles,omitempty"` // all of the customer's
	Lanes         []string        `json:"lanes,omitempty"`   // ordering keys of IN that are his alone
	Search        []string        `json:"search,omitempty"`  // rows in other customers' timelines
	Streams       []string        `json:"streams,omitempty"` // other customers' streams with something of his
	Commits       []ledger.Commit `json:"commits,omitempty"` // removed one by one
}

func (s *Service) declare(ctx context.Context) error {
	err := s.State.Declare(ctx,
		docstore.Collection{Name: colErasures, Indexes: []docstore.Index{
			{Name: "open", Prefix: []string{"open"}, Sort: "sort"}, {Name: "all", Sort: "sort"},
		}},
		docstore.Collection{Name: colParts, Indexes: []docstore.Index{{Name: "erase", Prefix: []string{"erase"}, Sort: "n"}}},
		docstore.Collection{Name: colApplied},
		docstore.Collection{Name: colRetired},
	)
	if err != nil {
		return fmt.Errorf("declare erasures: %w", err)
	}
	return nil
}

// load brings what was erased into memory.
func (s *Service) load(ctx context.Context) error {
	err := s.State.Scan(ctx, colErasures, func(d docstore.Doc) error {
		var e Erasure
		if err := json.Unmarshal(d.JSON, &e); err != nil {
			return fmt.Errorf("read erasure: %w", err)
		}
		s.note(e.Customers...)
		return nil
	})
	if err != nil {
		return err
	}
	return s.State.Scan(ctx, colParts, func(d docstore.Doc) error {
		var p part
		if err := json.Unmarshal(d.JSON, &p); err != nil {
			return fmt.Errorf("read part of an erasure: %w", err)
		}
		s.noteMoved(p.Handles...)
		return nil
	})
}

func (s *Service) note(customers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range customers {
		s.erased[c] = true
	}
}

// noteMoved remembers handles whose late messages may derive to somebody erased.
func (s *Service) noteMoved(handles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range handles {
		s.moved[h] = true
	}
}

func (s *Service) isErased(customer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.erased[customer]
}

func (s *Service) put(ctx context.Context, e *Erasure) error {
	e.Open, e.Sort = e.State != Done, e.RequestedAt.UnixMicro()
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode erasure: %w", err)
	}
	op := docstore.Op{Collection: colErasures, Doc: docstore.Doc{ID: e.ID, JSON: b}}
	if err := s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("note erasure: %w", err)
	}
	return nil
}

// ErrNotFound: there is no such erasure.
var ErrNotFound = errors.New("no such erasure")

// Get finds an erasure.
func (s *Service) Get(ctx context.Context, id string) (*Erasure, error) {
	if id == "" || len(id) > 200 {
		return nil, ErrNotFound
	}
	d, err := s.State.Get(ctx, colErasures, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read erasure: %w", err)
	}
	e := &Erasure{ID: id}
	if err := json.Unmarshal(d.JSON, e); err != nil {
		return nil, fmt.Errorf("read erasure: %w", err)
	}
	return e, nil
}

// List pages erasures, newest first; next continues, "" at the end.
func (s *Service) List(ctx context.Context, limit int, after string) (page []*Erasure, next string, err error) {
	items, err := s.State.List(ctx, colErasures, docstore.Query{Index: "all", Desc: true, Limit: limit, After: after})
	if err != nil {
		return nil, "", fmt.Errorf("list erasures: %w", err)
	}
	for _, it := range items {
		e := &Erasure{ID: it.ID}
		if err := json.Unmarshal(it.JSON, e); err != nil {
			return nil, "", fmt.Errorf("read erasure: %w", err)
		}
		page = append(page, e)
	}
	if len(items) == limit {
		next = items[limit-1].Token
	}
	return page, next, nil
}

// open lists erasures that are not done, oldest first.
func (s *Service) open(ctx context.Context) ([]*Erasure, error) {
	items, err := s.State.List(ctx, colErasures, docstore.Query{Index: "open", Prefix: []any{true}, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("list open erasures: %w", err)
	}
	var out []*Erasure
	for _, it := range items {
		e := &Erasure{ID: it.ID}
		if err := json.Unmarshal(it.JSON, e); err != nil {
			return nil, fmt.Errorf("read erasure: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *Service) putParts(ctx context.Context, parts []part) error {
	for _, p := range parts {
		b, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encode part of an erasure: %w", err)
		}
		id := p.Erase + "/" + p.Customer + "/" + strconv.Itoa(p.N)
		op := docstore.Op{Collection: colParts, Doc: docstore.Doc{ID: id, JSON: b}}
		if err := s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
			return fmt.Errorf("note part of an erasure: %w", err)
		}
		s.noteMoved(p.Handles...)
	}
	return nil
}

// eachPart calls fn with the parts of an erasure.
func (s *Service) eachPart(ctx context.Context, erase string, fn func(part) error) error {
	for after := ""; ; {
		items, err := s.State.List(ctx, colParts, docstore.Query{Index: "erase", Prefix: []any{erase}, Limit: 20, After: after})
		if err != nil {
			return fmt.Errorf("list parts of an erasure: %w", err)
		}
		for _, it := range items {
			var p part
			if err := json.Unmarshal(it.JSON, &p); err != nil {
				return fmt.Errorf("read part of an erasure: %w", err)
			}
			if err := fn(p); err != nil {
				return err
			}
			after = it.Token
		}
		if len(items) < 20 {
			return nil
		}
	}
}

func (s *Service) applied(ctx context.Context, id string) (bool, error) {
	_, err := s.State.Get(ctx, colApplied, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *Service) setApplied(ctx context.Context, ids ...string) error {
	var b docstore.Batch
	for _, id := range ids {
		b.Ops = append(b.Ops, docstore.Op{Collection: colApplied, Doc: docstore.Doc{ID: id, JSON: []byte(`{}`)}})
	}
	if err := s.State.Apply(ctx, b); err != nil {
		return fmt.Errorf("note what of the ledger is done: %w", err)
	}
	return nil
}
