package view

import (
	"cmp"
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// ErasedName stands for who was erased.
const ErasedName = "Erased"

// Name is the best name known of a person, of whom these are some customers:
// what agents call him, what he calls himself, the name beside an address, the
// address, "Visitor"; the newest of the best kind. Never empty.
func (v *Viewer) Name(ctx context.Context, handles Handles, customers ...*readmodel.Customer) (string, error) {
	known := slices.DeleteFunc(slices.Clone(customers), func(c *readmodel.Customer) bool { return c == nil || c.Erased() })
	if len(known) == 0 {
		if len(customers) > 0 && customers[0].Erased() {
			return ErasedName, nil
		}
		return Nameless, nil
	}
	newest(known, func(c *readmodel.Customer) int64 { return c.SetAt[NameAttribute] })
	for _, c := range known {
		if s, err := v.text(ctx, c.Attributes[NameAttribute], event.AttributeAAD(c.ID, NameAttribute)); err != nil || s != "" {
			return s, err
		}
	}
	newest(known, func(c *readmodel.Customer) int64 { return c.NameAt })
	for _, c := range known {
		if s, err := v.text(ctx, c.Name.Sealed, readmodel.NameAAD(c.Name.Of)); err != nil || s != "" {
			return s, err
		}
	}
	newest(known, func(c *readmodel.Customer) int64 { return c.LastAt })
	address := ""
	for _, c := range known {
		for _, ch := range c.Handles {
			h := handles[ch.Handle]
			if ch.Ended || h == nil {
				continue
			}
			a, err := v.Address(ctx, h, ch.Tenure)
			if err != nil {
				return "", err
			}
			if a.Name != "" {
				return a.Name, nil
			}
			// An address that means something in one inbox only names nobody.
			if address == "" && h.Scope == "" {
				address = a.Address
			}
		}
	}
	return cmp.Or(address, Nameless), nil
}

// newest puts the customer of the newest time first; of equal ones the oldest customer.
func newest(customers []*readmodel.Customer, at func(*readmodel.Customer) int64) {
	slices.SortFunc(customers, func(a, b *readmodel.Customer) int {
		return cmp.Or(cmp.Compare(at(b), at(a)), cmp.Compare(a.ID, b.ID))
	})
}

// Attributes are a person's: of each name the value set last.
func (v *Viewer) Attributes(ctx context.Context, customers ...*readmodel.Customer) (map[string]string, error) {
	var out map[string]string
	at := map[string]int64{}
	for _, c := range customers {
		if c == nil {
			continue
		}
		for name, sealed := range c.Attributes {
			if _, have := out[name]; have && at[name] >= c.SetAt[name] {
				continue
			}
			s, err := v.text(ctx, sealed, event.AttributeAAD(c.ID, name))
			if err != nil {
				return nil, err
			}
			if s == "" {
				continue
			}
			if out == nil {
				out = map[string]string{}
			}
			out[name], at[name] = s, c.SetAt[name]
		}
	}
	return out, nil
}
