package aggregate

import "context"

// Rest folds what is stored of an aggregate and keeps a snapshot of it, so that
// the next one who needs it after many commits does not fold them all.
func (r *Repository[S]) Rest(ctx context.Context, tenant, id string) error {
	_, _, _, err := r.Tip(ctx, tenant, id)
	return err
}
