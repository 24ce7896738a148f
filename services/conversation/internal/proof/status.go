package proof

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Status is a challenge as those may see it who asked for it.
type Status struct {
	ID       string
	Customer string
	Handle   string
	Kind     string
	Method   string
	State    State
	Delivery string // of the letter: what the channel said last; "" nothing yet
	Tries    int    // left
	Created  time.Time
	Expires  time.Time
	// Of a passed one: whose the address is, the link to him where he is another,
	// or why the rules made none.
	Owner   string
	Link    string
	Refused string
}

func (s *Service) status(c challenge) Status {
	out := Status{
		ID: c.id, Customer: c.Customer, Handle: c.Handle, Kind: c.Kind, Method: c.Method, State: c.State, Delivery: c.Delivery,
		Tries: c.Tries, Created: time.UnixMicro(c.Created).UTC(), Expires: time.UnixMicro(c.Expires).UTC(),
		Owner: c.Owner, Link: c.Link, Refused: c.Refused,
	}
	if c.State == Open && micro(s.now()) >= c.Expires {
		out.State = Expired
	}
	return out
}

// Get tells how a challenge stands; it is remembered for a day.
func (s *Service) Get(ctx context.Context, tenant, id string) (Status, error) {
	c, err := s.find(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && c.Tenant != tenant {
		return Status{}, &customer.NotFoundError{What: "proof", ID: id}
	}
	if err != nil {
		return Status{}, err
	}
	if c.State == Open {
		ok, err := s.current(ctx, c)
		if err != nil {
			return Status{}, err
		}
		if !ok {
			c.State = Void
		}
	}
	return s.status(c), nil
}
