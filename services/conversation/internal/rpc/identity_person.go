package rpc

import (
	"context"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/internal/audit"
)

// GetPerson resolves any customer id.
func (s Identity) GetPerson(ctx context.Context, q *identityv1.GetPersonRequest) (*identityv1.GetPersonResponse, error) {
	if q.GetCustomerId() == "" {
		return nil, field("customer_id", "is required")
	}
	if err := s.mayRead(ctx, "customer/"+q.GetCustomerId()); err != nil {
		return nil, err
	}
	res, err := s.Reader.Person(ctx, q.GetCustomerId())
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadCustomer, Customer: audit.ID(q.GetCustomerId())})
}

// person shows a customer after an order.
func (s Identity) person(ctx context.Context, customer string) (*identityv1.Person, error) {
	p, err := s.Reader.Person(ctx, customer)
	return p.GetPerson(), err
}
