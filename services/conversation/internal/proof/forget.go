package proof

import (
	"context"
	"errors"
	"slices"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Forget ends and removes everything about customers who were erased. Calling
// it again does nothing.
func (s *Service) Forget(ctx context.Context, tenant string, customers []string) error {
	var gone []challenge
	err := s.State.Scan(ctx, challenges.Name, func(d docstore.Doc) error {
		c, err := read(d)
		if err == nil && c.Tenant == tenant && (slices.Contains(customers, c.Customer) || c.Owner != "" && slices.Contains(customers, c.Owner)) {
			gone = append(gone, c)
		}
		return err
	})
	if err != nil {
		return err
	}
	errs := []error{}
	for _, c := range gone {
		if err := s.Keys.Destroy(ctx, Key(c.id)); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, s.remove(ctx, challenges.Name, c.id, 0), s.remove(ctx, limits.Name, addressTally(tenant, c.Handle), 0))
	}
	for _, id := range customers {
		errs = append(errs, s.remove(ctx, limits.Name, customerTally(tenant, id), 0))
	}
	return errors.Join(errs...)
}
