package proof

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// OptedOutError refuses to send to an address that wants nothing over the inbox
// (STOP). Field is what named the address.
type OptedOutError struct {
	Field string
	*customer.UnreachableError
}

func (e *OptedOutError) Error() string {
	return fmt.Sprintf("%s: opted out on %s: no code is sent to it over inbox %s until it opts in again", e.Field, e.At.UTC().Format(time.DateOnly), e.Inbox)
}

func (e *OptedOutError) Unwrap() error { return e.UnreachableError }

// wanted says whether a code may be sent to an address. Who only unsubscribed
// from what he does not ask for is sent one: somebody asks for it.
func (s *Service) wanted(ctx context.Context, q Request, held claim.Owned) error {
	if !held.Owned() {
		return nil // nobody has said anything
	}
	st, err := s.Customers.Peek(ctx, q.Tenant, held.Customer)
	if err != nil {
		return fmt.Errorf("look up the consent of an address: %w", err)
	}
	out, ok := errors.AsType[*customer.UnreachableError](st.Reachable(held.ID, q.Inbox, s.now(), customer.Freely{}))
	if !ok || out.Unasked {
		return nil
	}
	field := "address"
	if q.Handle != "" {
		field = "handle_id"
	}
	return &OptedOutError{Field: field, UnreachableError: out}
}
