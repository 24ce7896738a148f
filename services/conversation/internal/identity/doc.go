// Package identity is what agents can order about who is who: merge, unmerge,
// refuse a suggestion, join and unjoin conversations. Each is one event on the
// stream of the pair it names; nothing is moved. What rules do is in package resolve.
package identity

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/join"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

// Reads answer from the read models.
type Reads interface {
	Graph() *person.Graph
	// Standing is what a merge of two customers rests on.
	Standing(ctx context.Context, a, b string) (Standing, error)
	// CustomerOf says in whose stream a conversation is stored.
	CustomerOf(ctx context.Context, tenant, conversation string) (customer string, ok bool, err error)
}

// Keys make ids and tokens.
type Keys interface {
	Hash(purpose string, parts ...string) string
	MAC(purpose string, data []byte) []byte
	VerifyMAC(purpose string, data, mac []byte) bool
}

// Deps are what a Service works with.
type Deps struct {
	Links *aggregate.Repository[link.State]
	Joins *aggregate.Repository[join.State]
	Reads Reads
	Keys  Keys
}

// Service takes orders. Safe for concurrent use.
//
// Errors callers branch on: *customer.FieldError, *customer.NotFoundError,
// *customer.RefusedError and *StaleError (look again).
type Service struct{ Deps }

// New makes a Service.
func New(d Deps) (*Service, error) {
	if d.Links == nil || d.Joins == nil || d.Reads == nil || d.Keys == nil {
		return nil, errors.New("identity: a dependency is missing")
	}
	return &Service{d}, nil
}

// Order is what all orders have.
type Order struct {
	Tenant string // "" means the default tenant
	Actor  string
	// Key makes the order idempotent: the same key of the same actor about the
	// same pair is the same order. 1 to 200 characters.
	Key   string
	Trace string
}

func (o Order) prepared() (Order, error) {
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	if n := utf8.RuneCountInString(o.Key); n < 1 || n > 200 {
		return o, &customer.FieldError{Field: "idempotency_key", Problem: fmt.Sprintf("must have 1 to 200 characters, has %d", n)}
	}
	return o, nil
}

// Done is what an order stored; zero commits when there was nothing to change.
type Done struct {
	ID      string // of the link or join
	Commits []eventstore.Commit
}

// pair puts two ids in order.
func pair(field string, a, b string) (lo, hi string, err error) {
	for _, id := range []string{a, b} {
		if !subject.ValidToken(id) {
			return "", "", &customer.FieldError{Field: field, Problem: "a and b must both be named"}
		}
	}
	if a == b {
		return "", "", &customer.RefusedError{Reason: "a and b are the same"}
	}
	return min(a, b), max(a, b), nil
}

// translated are the pure packages' errors in the words of all orders.
func translated(err error) error {
	if e, ok := errors.AsType[*link.NotFoundError](err); ok {
		return &customer.NotFoundError{What: e.What, ID: e.ID}
	}
	if e, ok := errors.AsType[*join.NotFoundError](err); ok {
		return &customer.NotFoundError{What: "join", ID: e.ID}
	}
	if e, ok := errors.AsType[*link.RefusedError](err); ok {
		return &customer.RefusedError{Reason: e.Reason}
	}
	if e, ok := errors.AsType[*join.RefusedError](err); ok {
		return &customer.RefusedError{Reason: e.Reason}
	}
	return err
}
