package law_test

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/domaintest"
)

// view is the read models as the planted faults leave them.
type view struct {
	*domaintest.View
	w *world
}

func (v *view) advance(partition, n int) {
	if err := v.Advance(context.Background(), partition, n); err != nil {
		v.w.t.Fatal(err)
	}
}

func (v *view) WaitFor(ctx context.Context, partition int, seq uint64) error {
	if v.w.faults.NoWait {
		return nil
	}
	return v.View.WaitFor(ctx, partition, seq)
}

func (v *view) Known(ctx context.Context, tenant, entry string) (bool, error) {
	known, err := v.View.Known(ctx, tenant, entry)
	return known && !v.w.faults.NoRecall && !v.w.forgotten(entry), err
}

func (v *view) Origin(ctx context.Context, tenant, message string) (ref, handle string, err error) {
	if v.w.forgotten(message) {
		return "", "", nil
	}
	return v.View.Origin(ctx, tenant, message)
}
