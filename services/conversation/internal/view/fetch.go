package view

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// Needed gathers the data keys that documents are shown with, so that they are
// read together: each alone is a round trip to the key table.
type Needed []string

// Entries are shown with the addresses they came from.
func (n *Needed) Entries(entries []*readmodel.Entry, handles Handles) {
	for _, e := range entries {
		n.add(e.Body.Key)
		if h := handles[e.Handle]; h != nil {
			sealed, _ := h.AddressOf(e.Tenure)
			n.add(sealed.Key)
		}
	}
}

// Customer is shown with the handles he has now.
func (n *Needed) Customer(c *readmodel.Customer, handles Handles) {
	if c == nil || c.Erased() {
		return
	}
	n.add(c.Name.Sealed.Key)
	for _, a := range c.Attributes {
		n.add(a.Key)
	}
	for _, ch := range c.Handles {
		if h := handles[ch.Handle]; h != nil && !ch.Ended {
			sealed, _ := h.AddressOf(ch.Tenure)
			n.add(sealed.Key)
		}
	}
}

// Row is shown with its subject and the beginning of its last message.
func (n *Needed) Row(c *readmodel.Conversation) {
	n.add(c.Subject.Key)
	n.add(c.Preview.Sealed.Key)
}

func (n *Needed) add(key string) {
	if key != "" {
		*n = append(*n, key)
	}
}

// Fetch reads them.
func (v *Viewer) Fetch(ctx context.Context, n Needed) error { return v.keys.Fetch(ctx, n...) }
