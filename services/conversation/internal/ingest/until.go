package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/handleid"
)

// overtaken is how long a receipt of an address waits for our own note of a
// send that it may be about: providers tell so fast that it is often before it.
const overtaken = 10 * time.Second

// underWayError: the receipt is looked at again in a moment.
type underWayError struct{ error }

func (underWayError) RetryAfter() time.Duration { return 200 * time.Millisecond }

var errUnderWay = underWayError{errors.New("a send to this address is under way")}

// until stores a receipt of everything that went to an address until a time.
// It is about the present owner of the address: what went to a former one is
// not spoken of any more. What it does not find is told by the next one.
func (h *Handler) until(ctx context.Context, in Input, r channel.Receipt) error {
	if r.State != channel.StateDelivered && r.State != channel.StateRead {
		return &customer.FieldError{Field: "state", Problem: fmt.Sprintf("%q cannot be said of all that went to an address", r.State)}
	}
	own, err := h.Claims.Peek(ctx, r.Tenant, handleid.Of(h.Keys, r.To))
	if err != nil || !own.Owned() {
		return err
	}
	// As it is stored, not as last known here: the answer it is about was ordered elsewhere a moment ago.
	state, err := h.Customers.Load(ctx, r.Tenant, own.Customer)
	if err != nil {
		return err
	}
	went, underWay := state.Until(own.ID, own.Tenure, string(r.State), r.At)
	if underWay && in.Raw != nil && h.Now().Sub(in.Raw.ReceivedAt) < overtaken {
		return errUnderWay
	}
	nothing := 0
	for _, id := range went {
		one := r
		one.Outbound, one.To, one.Customer = id, channel.Address{}, own.Customer
		err := h.receipt(ctx, in, one, true)
		if errors.Is(err, errNothing) {
			nothing++
			continue
		}
		if err != nil {
			return err
		}
	}
	if nothing > 0 && nothing == len(went) {
		return errNothing
	}
	return nil
}
