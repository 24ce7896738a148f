package query

import (
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/view"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// show fills the answer; page is newest first.
func (p *aPerson) show(ctx context.Context, out *inboxv1.GetTimelineResponse, page []*readmodel.Entry) error {
	changes, err := p.changesTo(ctx, page)
	if err != nil {
		return err
	}
	if err := p.fetchKeys(ctx, page); err != nil {
		return err
	}
	for _, e := range slices.Backward(page) {
		shown, err := p.view.Entry(ctx, e, p.handles, changes[e.ID]...)
		if err != nil {
			return err
		}
		shown.CustomerId = p.owner(e)
		out.Entries = append(out.Entries, shown)
	}
	out.PersonId = p.canonical(p.named)
	of := p.of(p.named)
	if out.Customer, err = p.view.Customer(ctx, p.customers[p.named], p.handles); err != nil {
		return err
	}
	for _, id := range p.members {
		m, err := p.view.Customer(ctx, p.customers[id], p.handles)
		if err != nil {
			return err
		}
		m.PersonId = p.canonical(id)
		out.Members = append(out.Members, m)
	}
	out.Customer.PersonId = out.PersonId
	if !out.Customer.GetErased() {
		if out.Customer.Name, err = p.name(ctx); err != nil {
			return err
		}
		if out.Customer.Attributes, err = p.view.Attributes(ctx, of...); err != nil {
			return err
		}
	}
	return p.showTopics(ctx, out)
}

// fetchKeys reads the data keys that show will need.
func (p *aPerson) fetchKeys(ctx context.Context, page []*readmodel.Entry) error {
	var n view.Needed
	n.Entries(page, p.handles)
	for _, id := range p.members {
		n.Customer(p.customers[id], p.handles)
	}
	for _, c := range p.rows {
		n.Row(c)
	}
	return p.view.Fetch(ctx, n)
}

// canonical is the id the person of a customer is shown under: of all his
// customers the same, but an erased one is himself.
func (p *aPerson) canonical(customer string) string {
	if p.person[customer] != "" {
		return p.person[customer]
	}
	g := p.world.persons()
	id := g.Canonical(customer)
	p.person[customer] = id
	if p.member(customer) && !g.Erased(customer) {
		for _, m := range p.members {
			if !g.Erased(m) {
				p.person[m] = id
			}
		}
	}
	return id
}

// name is the person's.
func (p *aPerson) name(ctx context.Context) (string, error) {
	if p.called == "" {
		var err error
		if p.called, err = p.view.Name(ctx, p.handles, p.of(p.named)...); err != nil {
			return "", err
		}
	}
	return p.called, nil
}

// of are the customers of the person, one of them first.
func (p *aPerson) of(first string) []*readmodel.Customer {
	out := []*readmodel.Customer{p.customers[first]}
	for _, id := range p.members {
		if id != first {
			out = append(out, p.customers[id])
		}
	}
	return out
}

// ofPerson names the person of a customer.
func ofPerson(g *person.Graph, c *inboxv1.Customer) *inboxv1.Customer {
	c.PersonId = g.Canonical(c.GetId())
	return c
}
