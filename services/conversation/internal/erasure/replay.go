package erasure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/internal/ledger"
)

// Replay does once more what the ledger says and this data does not know: the
// data is an older copy. It must be called before anything reads the log or
// serves; after it nobody who was erased is there. It returns how many entries
// there were to do.
func (s *Service) Replay(ctx context.Context) (int, error) {
	entries, err := s.Ledger.Entries()
	if err != nil {
		return 0, err
	}
	n := 0
	// Keys first, all of them: from here on nothing can be opened.
	for _, e := range entries {
		done, err := s.applied(ctx, e.ID)
		if err != nil {
			return n, err
		}
		if done {
			continue
		}
		n++
		for keys := range slices.Chunk(e.Keys, 500) {
			if err := s.Keys.Destroy(ctx, keys...); err != nil {
				return n, err
			}
		}
	}
	if n > 0 {
		s.Step("replayed keys")
	}
	for _, e := range entries {
		if done, err := s.applied(ctx, e.ID); err != nil || done {
			if err != nil {
				return n, err
			}
			continue
		}
		if err := s.replay(ctx, e); err != nil {
			return n, fmt.Errorf("entry %s of the ledger: %w", e.ID, err)
		}
		if err := s.setApplied(ctx, e.ID); err != nil {
			return n, err
		}
	}
	s.running.Lock()
	defer s.running.Unlock()
	open, err := s.open(ctx)
	if err != nil {
		return n, err
	}
	for _, e := range open {
		if !e.Replayed {
			continue // was under way here; Run goes on with it
		}
		if err := s.advance(ctx, e); err != nil {
			return n, err
		}
	}
	return n, nil
}

// replay takes one entry up: what it names by itself now, the rest as an
// erasure of its own.
func (s *Service) replay(ctx context.Context, e ledger.Entry) error {
	p := part{Erase: e.Erase, Customer: e.Customer, Keys: e.Keys, Blobs: e.Blobs, Inputs: e.Inputs, Handles: e.Handles}
	if err := s.cleanPart(ctx, p); err != nil {
		return err
	}
	s.noteMoved(e.Handles...)
	if e.Kind == ledger.KindRetired {
		return s.replayRetired(ctx, e)
	}
	for _, r := range e.Releases {
		var cmd handle.Command = handle.Release{
			Handle: r.Handle, Tenure: r.Tenure, EraseID: e.Erase, Seen: r.Seen, CutOff: r.CutOff, Started: r.Started, Replayed: e.Customer,
		}
		if r.Moved {
			cmd = handle.Remember{Handle: r.Handle, Tenure: r.Tenure, EraseID: e.Erase, Seen: r.Seen, CutOff: r.CutOff, Started: r.Started}
		}
		if err := s.order(ctx, r.Handle, cmd); err != nil {
			return err
		}
	}
	x, err := s.Get(ctx, e.Erase)
	if errors.Is(err, ErrNotFound) {
		x, err = &Erasure{ID: e.Erase, State: Requested, Actor: e.Actor, RequestedAt: e.At, Replayed: true}, nil
	}
	if err != nil || !x.Replayed && slices.Contains(x.Customers, e.Customer) {
		return err
	}
	if !slices.Contains(x.Customers, e.Customer) {
		x.Customers = append(x.Customers, e.Customer)
	}
	for _, h := range e.Handles {
		if !slices.Contains(x.Handles, h) {
			x.Handles = append(x.Handles, h)
		}
	}
	s.note(x.Customers...)
	return s.put(ctx, x)
}
