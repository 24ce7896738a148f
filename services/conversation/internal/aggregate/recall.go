package aggregate

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// Timeline is asked for entries older than what a state remembers.
type Timeline interface {
	// WaitFor returns when the timeline has applied the partition up to seq.
	WaitFor(ctx context.Context, partition int, seq uint64) error
	// Known says whether there is an entry (message, reply or note) with that
	// id, shown or hidden, of any customer.
	Known(ctx context.Context, tenant, entry string) (bool, error)
}

// Recall runs a turn that asks (by a customer.RecallError) whether its entry is
// known. It waits until the timeline has everything the state has forgotten, so
// that "not known" is certain; then run is called again with how far that
// holds. known: the entry is there, nothing was appended.
func Recall(
	ctx context.Context, t Timeline, customers *Repository[customer.State], tenant, id string,
	run func(recalledTo uint64) (Outcome[customer.State], error),
) (out Outcome[customer.State], known bool, err error) {
	var to uint64
	for {
		out, err := run(to)
		r, ok := errors.AsType[*customer.RecallError](err)
		if !ok {
			return out, false, err
		}
		if err := t.WaitFor(ctx, customers.Partition(tenant, id), r.Floor); err != nil {
			return out, false, fmt.Errorf("wait for the timeline: %w", err)
		}
		if known, err = t.Known(ctx, tenant, r.Entry); err != nil {
			return out, false, fmt.Errorf("look up entry: %w", err)
		}
		if known {
			out.State, err = customers.Peek(ctx, tenant, id)
			return out, true, err
		}
		to = r.Floor
	}
}

// Settle waits until the timeline has everything that is stored now, in whatever
// stream. Then it knows each entry that was stored before, unless it was erased.
func Settle(ctx context.Context, t Timeline, customers *Repository[customer.State]) error {
	for p := range customers.store.Partitions() {
		head, err := customers.store.Head(ctx, p)
		if err != nil {
			return fmt.Errorf("head of partition %d: %w", p, err)
		}
		if err := t.WaitFor(ctx, p, head); err != nil {
			return fmt.Errorf("wait for the timeline: %w", err)
		}
	}
	return nil
}
