package erasure

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/docstore"
)

// purge takes the bytes away: streams down to their tombstones, databases
// without deleted rows, backups without keys.
func (s *Service) purge(ctx context.Context, e *Erasure) error {
	err := s.eachPart(ctx, e.ID, func(p part) error {
		for _, c := range p.Commits {
			if err := s.Log.Delete(ctx, c.Partition, c.Seq); err != nil {
				return err
			}
		}
		for _, h := range p.Handles {
			if err := s.purgeHandle(ctx, h, p.Customer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Step("handles")
	for _, c := range e.members() {
		if err := s.purgeCustomer(ctx, c); err != nil {
			return err
		}
		s.Step("stream:" + c)
	}
	if err := s.scrub(ctx); err != nil {
		return err
	}
	s.Step("scrubbed")
	if s.Copies == nil {
		return nil
	}
	return s.Copies.Erase(ctx)
}

// purgeHandle leaves the release, and whatever came after it. A stream that
// other owners' tenures are in stays whole: whose a unit is must be known.
func (s *Service) purgeHandle(ctx context.Context, id, owner string) error {
	h, err := s.streams.LoadHandle(ctx, id)
	if err != nil || h.Released == 0 || h.ReleasedBy != owner && h.ReleasedBy != "" || !h.Alone {
		return err
	}
	return s.Log.Purge(ctx, s.Tenant, "handle."+id, h.Released)
}

// purgeCustomer leaves the tombstone, and commits with others' units if there are any.
func (s *Service) purgeCustomer(ctx context.Context, id string) error {
	stream := "customer." + id
	type stored struct {
		seq  uint64
		kept bool
	}
	var all []stored
	kept, entries := map[string]bool{}, map[string]string{}
	tombstone := uint64(0)
	for pass := range 2 { // the tombstone, which comes last, says what is kept
		for c, err := range s.Log.Load(ctx, s.Tenant, stream, 0) {
			if err != nil {
				return err
			}
			events, err := codec.Decode(c)
			if err != nil {
				return err
			}
			stays := false
			for _, ev := range events {
				if done, ok := ev.(event.ErasureDone); ok && pass == 0 {
					tombstone = c.Seq
					for _, u := range done.Kept {
						kept[u] = true
					}
				}
				if pass == 1 {
					stays = stays || kept[estate.UnitOf(ev, entries)]
				}
			}
			if pass == 1 && c.Seq < tombstone {
				all = append(all, stored{c.Seq, stays})
			}
		}
		if len(kept) == 0 {
			break
		}
	}
	if tombstone == 0 {
		return nil
	}
	if len(kept) == 0 {
		return s.Log.Purge(ctx, s.Tenant, stream, tombstone)
	}
	p := s.Log.PartitionOf(s.Tenant, stream)
	for _, c := range all {
		if c.kept {
			continue
		}
		if err := s.Log.Delete(ctx, p, c.seq); err != nil {
			return err
		}
	}
	return nil
}

// scrub makes deleted rows leave the databases' files.
func (s *Service) scrub(ctx context.Context) error {
	for _, db := range append([]docstore.Store{s.State, s.Live.Store()}, s.Scrub...) {
		if sc, ok := db.(docstore.Scrubber); ok {
			if err := sc.Scrub(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
