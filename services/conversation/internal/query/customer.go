package query

import (
	"context"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Customer returns a customer by id, ErrNotFound when there is none.
func (r *Reader) Customer(ctx context.Context, id string) (*inboxv1.Customer, error) {
	p, release := r.live.Acquire()
	defer release()
	c, err := get[readmodel.Customer](ctx, r.store, p.Names().Customers, id)
	if err != nil {
		return nil, err
	}
	return r.showCustomer(ctx, p, c)
}

// Address makes the address of a look-up: kinds that mean something in one
// inbox only (everything but mail addresses and phone numbers) are scoped to it.
func Address(kind, address, inbox string) channel.Address {
	a := channel.Address{Kind: kind, Address: address}
	if handleid.Scoped(kind) {
		a.Scope = inbox
	}
	return a
}

// CustomerByAddress returns the owner of an address now.
func (r *Reader) CustomerByAddress(ctx context.Context, a channel.Address) (*inboxv1.Customer, error) {
	p, release := r.live.Acquire()
	h, err := get[readmodel.Handle](ctx, r.store, p.Names().Handles, handleid.Of(r.keys, a))
	release()
	if err != nil {
		return nil, err
	}
	if h.Customer == "" {
		return nil, ErrNotFound
	}
	return r.Customer(ctx, h.Customer)
}

// ListCustomers pages all customers, last active first.
func (r *Reader) ListCustomers(ctx context.Context, q *inboxv1.ListCustomersRequest) (*inboxv1.ListCustomersResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	of := pageOf{"customers"}
	before, err := r.parsePageToken(of, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	p, release := r.live.Acquire()
	defer release()
	page, err := list[readmodel.Customer](ctx, r.store, p.Names().Customers, docstore.Query{
		Index: readmodel.ByLast, Prefix: []any{readmodel.KindCustomer}, Desc: true, Limit: size + 1, To: upTo(before),
	})
	if err != nil {
		return nil, err
	}
	out := &inboxv1.ListCustomersResponse{}
	if len(page) > size {
		page = page[:size]
		out.NextPageToken = r.pageToken(of, page[size-1].Last)
	}
	var ids []string
	for _, c := range page {
		ids = append(ids, handlesOf(c)...)
	}
	handles, err := r.handles(ctx, p.Names(), ids)
	if err != nil {
		return nil, err
	}
	for _, c := range page {
		shown, err := r.view.Customer(ctx, c, handles)
		if err != nil {
			return nil, err
		}
		out.Customers = append(out.Customers, ofPerson(p.Graph(), shown))
	}
	return out, nil
}

func (r *Reader) showCustomer(ctx context.Context, p *readmodel.Projector, c *readmodel.Customer) (*inboxv1.Customer, error) {
	handles, err := r.handles(ctx, p.Names(), handlesOf(c))
	if err != nil {
		return nil, err
	}
	shown, err := r.view.Customer(ctx, c, handles)
	if err != nil {
		return nil, err
	}
	return ofPerson(p.Graph(), shown), nil
}

// handles finds handles by id. A handle lives on a partition of its own that
// may be projected later than the customer's; then it is shown as it was claimed.
func (r *Reader) handles(ctx context.Context, n readmodel.Names, ids []string) (view.Handles, error) {
	found, err := getMany[readmodel.Handle](ctx, r.store, n.Handles, ids...)
	if err != nil {
		return nil, err
	}
	return r.claimed(ctx, found, ids)
}

// heldHandles is handles through the projector's cache.
func (r *Reader) heldHandles(ctx context.Context, p *readmodel.Projector, ids []string) (view.Handles, error) {
	found, err := cached[readmodel.Handle](ctx, r.store, p, p.Names().Handles, ids...)
	if err != nil {
		return nil, err
	}
	return r.claimed(ctx, found, ids)
}

// claimed adds those that are not projected, as they were claimed.
func (r *Reader) claimed(ctx context.Context, found view.Handles, ids []string) (view.Handles, error) {
	for _, id := range ids {
		if found[id] != nil || id == "" {
			continue
		}
		h, err := readmodel.LoadClaim(ctx, r.events, r.decode, r.tenant, id)
		if err != nil {
			return nil, err
		}
		if h != nil {
			found[id] = h
		}
	}
	return found, nil
}
