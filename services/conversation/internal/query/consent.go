package query

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// OptedOut finds a customer of the same person, but himself, who opted out of
// an inbox, as far as it is projected.
func (r *Reader) OptedOut(ctx context.Context, customer, inbox string) (readmodel.Reach, bool, error) {
	p, release := r.live.Acquire()
	defer release()
	w := r.stored(p)
	members := w.persons().Members(customer)
	if len(members) < 2 {
		return readmodel.Reach{}, false, nil
	}
	found, err := w.customers(ctx, members...)
	if err != nil {
		return readmodel.Reach{}, false, err
	}
	for _, id := range members {
		if id == customer {
			continue
		}
		if reach, out := found[id].OptedOut(inbox); out {
			return reach, true, nil
		}
	}
	return readmodel.Reach{}, false, nil
}
