package export

import (
	"context"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// who is one customer in customers.json.
type who struct {
	ID         string            `json:"id"`
	CreatedAt  time.Time         `json:"created_at,omitzero"`
	Attributes map[string]string `json:"attributes"`
	Handles    []address         `json:"handles"`
	Links      []link            `json:"links"`
	Consents   []consent         `json:"consents"`
	Holds      int               `json:"legal_holds"`
}

// consent is what holds at a handle over an inbox; timeline.jsonl has what was said before.
type consent struct {
	Handle  string    `json:"handle"`
	Inbox   string    `json:"inbox"`
	Wish    string    `json:"wish"`              // out, in
	Unasked bool      `json:"unasked,omitempty"` // with out: of what he does not ask for
	At      time.Time `json:"at"`
	Message string    `json:"message,omitempty"` // that says so
	Reason  string    `json:"reason,omitempty"`  // of who recorded it
}

// consented keeps the last of each.
func (s *exported) consented(c consent) {
	s.consents = slices.DeleteFunc(s.consents, func(o consent) bool { return o.Handle == c.Handle && o.Inbox == c.Inbox })
	s.consents = append(s.consents, c)
}

// address is a handle and why it is believed to be his.
type address struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Scope     string   `json:"scope,omitempty"`
	Address   string   `json:"address,omitempty"`
	Name      string   `json:"name,omitempty"`
	Assurance int      `json:"assurance"`
	Qualifier string   `json:"qualifier,omitempty"`
	Tenures   []period `json:"tenures"` // his
}

type period struct {
	Number    int64     `json:"number"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until,omitzero"`
	ValidFrom time.Time `json:"valid_from,omitzero"`
	Evidence  string    `json:"evidence,omitempty"`
	Through   string    `json:"through_handle,omitempty"`
}

type link struct {
	ID   string `json:"id"`
	With string `json:"with"`
	Rule string `json:"rule"`
}

func (a *archive) customers(ctx context.Context, all []*exported) error {
	w, done, err := a.create("customers.json")
	if err != nil {
		return err
	}
	out := []who{}
	for _, s := range all {
		c, err := a.s.who(ctx, s)
		if err != nil {
			return err
		}
		out = append(out, c)
	}
	if err := indent(w, out); err != nil {
		return err
	}
	done()
	return nil
}

func (s *Service) who(ctx context.Context, sub *exported) (who, error) {
	out := who{
		ID: sub.est.Customer, CreatedAt: sub.created, Attributes: sub.attributes, Holds: sub.holds,
		Handles: []address{}, Links: []link{}, Consents: append([]consent{}, sub.consents...),
	}
	for _, h := range sub.est.Handles {
		a, err := s.address(ctx, h, out.ID)
		if err != nil {
			return out, err
		}
		if len(a.Tenures) > 0 {
			out.Handles = append(out.Handles, a)
		}
	}
	if s.Links != nil {
		for _, e := range s.Links.Edges(out.ID) {
			with := e.A
			if with == out.ID {
				with = e.B
			}
			out.Links = append(out.Links, link{ID: e.Link, With: with, Rule: e.Rule})
		}
	}
	return out, nil
}

// address opens what the customer's own tenures say; a later owner's says the same and is not his.
func (s *Service) address(ctx context.Context, h *estate.Handle, customer string) (address, error) {
	out := address{ID: h.ID, Kind: h.Kind, Assurance: h.Assurance, Qualifier: h.Qualifier, Tenures: []period{}}
	for i, p := range h.History {
		if p.Customer != customer {
			continue
		}
		claim := h.Claims[p.Number]
		t := period{Number: p.Number, Since: p.At, ValidFrom: p.ValidFrom, Evidence: claim.Evidence.Kind}
		if through := claim.Evidence.Handle; through != h.ID {
			t.Through = through
		}
		if i+1 < len(h.History) {
			t.Until = h.History[i+1].At
		}
		out.Tenures = append(out.Tenures, t)
		sealed := claim.Event.Address
		if claim.Moved.MoveID != "" {
			sealed = claim.Moved.Address
		}
		if len(sealed.Box) == 0 {
			continue
		}
		var a event.Address
		if err := s.open(ctx, sealed, event.AddressAAD(h.ID, p.Number), &a, &line{}); err != nil {
			return out, err
		}
		if a.Address != "" {
			out.Scope, out.Address, out.Name = a.Scope, a.Address, a.Name
		}
	}
	return out, nil
}
