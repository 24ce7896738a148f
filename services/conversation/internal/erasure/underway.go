package erasure

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/intake"
)

// planUnderway adds the files that were fetched for inputs whose keys go, and
// that no stored message names.
func (s *Service) planUnderway(ctx context.Context, b *bag) error {
	if s.Underway == nil {
		return nil
	}
	files, err := s.Underway.All(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		t, err := s.Originals.Trace(ctx, f.Ref)
		if errors.Is(err, intake.ErrNoInput) {
			continue // cleanUnderway's
		}
		if err != nil {
			return err
		}
		if b.seen["k"+t.DataKey] {
			b.keys(f.DataKey)
			b.blobs(f.Blob)
		}
	}
	return nil
}

// cleanUnderway destroys what was fetched for inputs that are gone, also where
// the fetching began after the plan. Inputs of others keep their files.
func (s *Service) cleanUnderway(ctx context.Context) error {
	if s.Underway == nil {
		return nil
	}
	files, err := s.Underway.All(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		t, err := s.Originals.Trace(ctx, f.Ref)
		gone := errors.Is(err, intake.ErrNoInput)
		if err != nil && !gone {
			return err
		}
		if !gone {
			if gone, err = s.Keys.Destroyed(ctx, t.DataKey); err != nil {
				return fmt.Errorf("look for the key of an input: %w", err)
			}
		}
		if !gone {
			continue
		}
		if err := s.Keys.Destroy(ctx, f.DataKey); err != nil {
			return err
		}
		if err := s.Blobs.Delete(ctx, f.Blob); err != nil {
			return err
		}
		if err := s.Underway.End(ctx, f.Blob); err != nil {
			return err
		}
	}
	return nil
}
