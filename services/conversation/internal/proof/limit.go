package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// LimitedError: too many were sent; After says when one more may be.
type LimitedError struct {
	What  string // address, customer or inbox
	After time.Duration
}

func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many codes for this %s: wait %s", e.What, e.After.Round(time.Second))
}

// bound is how many sends a window of time may have.
type bound struct {
	n      int
	window time.Duration
}

// The bounds. They count what was asked for, whether or not somebody owns the address.
var bounds = map[string][]bound{
	"address":  {{3, time.Hour}, {6, 24 * time.Hour}},
	"customer": {{10, 24 * time.Hour}},
	// A breaker: whatever goes wrong or whoever means ill, an inbox is no flood.
	"inbox": {{120, time.Hour}},
}

// window is the longest one.
const window = 24 * time.Hour

// tally is what one address, customer or inbox has had. Stored: names stay.
type tally struct {
	At   []int64 `json:"at"`   // µs, oldest first
	Last int64   `json:"last"` // for sweeping
	// Open is the challenge that is good for an address: older ones are not.
	Open string `json:"open,omitempty"`

	id   string
	what string
	rev  uint64
}

const byLast = "last"

var limits = docstore.Collection{Name: "proof_limits", Indexes: []docstore.Index{{Name: byLast, Sort: "last"}}}

func addressTally(tenant, handle string) string { return "address/" + tenant + "/" + handle }

func customerTally(tenant, id string) string { return "customer/" + tenant + "/" + id }

// tallies reads those a new challenge counts for.
func (s *Service) tallies(ctx context.Context, c challenge) ([]tally, error) {
	out := []tally{
		{what: "address", id: addressTally(c.Tenant, c.Handle)},
		{what: "customer", id: customerTally(c.Tenant, c.Customer)},
		{what: "inbox", id: "inbox/" + c.Tenant + "/" + c.Inbox},
	}
	docs, err := s.State.GetMany(ctx, limits.Name, out[0].id, out[1].id, out[2].id)
	if err != nil {
		return nil, fmt.Errorf("read limits of proofs: %w", err)
	}
	for i, d := range docs {
		if d.JSON == nil {
			continue
		}
		if err := json.Unmarshal(d.JSON, &out[i]); err != nil {
			return nil, fmt.Errorf("read limits of proofs: %w", err)
		}
		out[i].rev = d.Seq
	}
	return out, nil
}

// take counts one more at a time, or says how long to wait.
func (t *tally) take(now time.Time) error {
	for len(t.At) > 0 && t.At[0] <= micro(now.Add(-window)) {
		t.At = t.At[1:]
	}
	for _, b := range bounds[t.what] {
		if len(t.At) < b.n {
			continue
		}
		free := time.UnixMicro(t.At[len(t.At)-b.n]).Add(b.window)
		if wait := free.Sub(now); wait > 0 {
			return &LimitedError{What: t.what, After: wait}
		}
	}
	t.At, t.Last = append(t.At, micro(now)), micro(now)
	return nil
}

func (t tally) op() (docstore.Op, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return docstore.Op{}, fmt.Errorf("encode limits of proofs: %w", err)
	}
	return docstore.Op{
		Collection: limits.Name, Create: t.rev == 0, IfRev: t.rev,
		Doc: docstore.Doc{ID: t.id, Seq: t.rev + 1, JSON: b},
	}, nil
}

// enter stores a new challenge and counts it, all or nothing, and returns the
// one whose place it takes.
func (s *Service) enter(ctx context.Context, c challenge) (older string, err error) {
	for {
		all, err := s.tallies(ctx, c)
		if err != nil {
			return "", err
		}
		var b docstore.Batch
		for i := range all {
			if err := all[i].take(time.UnixMicro(c.Created)); err != nil {
				return "", err
			}
			if all[i].what == "address" {
				older, all[i].Open = all[i].Open, c.id
			}
			op, err := all[i].op()
			if err != nil {
				return "", err
			}
			b.Ops = append(b.Ops, op)
		}
		op, err := c.op()
		if err != nil {
			return "", err
		}
		b.Ops = append(b.Ops, op)
		err = s.State.Apply(ctx, b)
		switch {
		case err == nil:
			return older, nil
		case errors.Is(err, docstore.ErrStale) || errors.Is(err, docstore.ErrExists):
			// Another counted meanwhile, or this very challenge is there.
			if _, found := s.find(ctx, c.id); found == nil {
				return "", errThere
			}
			continue
		}
		return "", fmt.Errorf("write proof: %w", err)
	}
}

// errThere: the challenge was stored by an earlier call.
var errThere = errors.New("proof is there already")

// current says whether a challenge is the newest of its address.
func (s *Service) current(ctx context.Context, c challenge) (bool, error) {
	d, err := s.State.Get(ctx, limits.Name, addressTally(c.Tenant, c.Handle))
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	var t tally
	if err == nil {
		err = json.Unmarshal(d.JSON, &t)
	}
	if err != nil {
		return false, fmt.Errorf("read limits of proofs: %w", err)
	}
	return t.Open == c.id, nil
}
