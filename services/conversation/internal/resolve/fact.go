package resolve

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Fact says that two customers may be one person.
type Fact struct {
	When     string
	A, B     string // A says it; B owns the handle, or says the same
	Handle   string
	Kind     string // of the handle
	Claim    int    // level of what is said
	Owner    int    // level of the owner's handle, or of what B says
	Evidence []string
	Word     string // of a proof: login, code, reply_token, …

	over  string // handle a proof came over: a line is no endpoint
	link  string // id of the link a proof makes; "" for others
	cause string // commit it follows from
	trace string
	shown bool // by a challenge of ours, just now: see LinkProven
	// claimed is the address as it was said, where there is no owner whose
	// address could be looked at.
	claimed Claim
}

// reason is what is written of it.
func (f Fact) reason() event.Reason {
	kind := f.When
	if f.Word != "" {
		kind = f.Word
	}
	return event.Reason{Kind: kind, Handle: f.Handle, Levels: []int{f.Claim, f.Owner}, Evidence: f.Evidence}
}

// facts are what a commit says, by the index as it is now.
func (r *Resolver) facts(ctx context.Context, n news) ([]Fact, error) {
	var out []Fact
	for _, ev := range n.events {
		var (
			found []Fact
			err   error
		)
		switch e := ev.(type) {
		case event.MessageReceived:
			found, err = r.proof(ctx, n, e)
		case event.HandleAsserted:
			found, err = r.asserted(ctx, n, e)
		case event.HandleClaimed, event.HandleMoved, event.HandleAssured:
			found, err = r.owned(ctx, n)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	for i := range out {
		out[i].cause, out[i].trace = n.ID, n.Trace
	}
	return out, nil
}

// proof: the message came over a handle of B and proves to be from A. Pair and
// id are in the event, so a move or a redelivery makes no other link of it.
func (r *Resolver) proof(ctx context.Context, n news, m event.MessageReceived) ([]Fact, error) {
	if m.Proof == nil || m.Proof.Customer == n.id {
		return nil, nil
	}
	p := m.Proof.Evidence
	g, err := r.index.handle(ctx, p.Handle)
	if err != nil {
		return nil, err
	}
	over, err := r.index.handle(ctx, m.Handle)
	if err != nil {
		return nil, err
	}
	at := min(m.OccurredAt.UnixMicro(), n.RecordedAt.UnixMicro())
	for _, h := range []Handle{g, over} {
		if h.took(m.Proof.Customer, at, p.ID, m.Message) {
			return nil, nil
		}
	}
	return []Fact{{
		When: WhenProof, A: n.id, B: m.Proof.Customer, Handle: p.Handle, Kind: g.Kind, Word: p.Kind,
		Claim: m.Assurance, Owner: g.Level, Evidence: []string{m.Message}, over: m.Handle, link: "link:" + m.Message,
	}}, nil
}

// asserted: a customer says that a handle is his.
func (r *Resolver) asserted(ctx context.Context, n news, e event.HandleAsserted) ([]Fact, error) {
	c := Claim{Handle: e.Handle, Customer: n.id, Kind: e.Kind, Level: e.Assurance, Message: e.Message, At: n.RecordedAt.UnixMicro(), Address: e.Address}
	h, err := r.index.handle(ctx, e.Handle)
	if err != nil {
		return nil, err
	}
	out, err := r.variants(ctx, n.id, e.Handle, e.Kind, e.Assurance, e.Match, []string{e.Message})
	if err != nil {
		return nil, err
	}
	if h.Customer != "" {
		return append(out, claimOf(c, h)...), nil
	}
	others, err := r.index.claimsOf(ctx, e.Handle, r.rules.Limits.Candidates+1)
	if err != nil || len(others) > r.rules.Limits.Candidates {
		return out, err
	}
	for _, o := range others {
		if o.Customer != n.id {
			out = append(out, Fact{
				When: WhenSameClaim, A: n.id, B: o.Customer, Handle: e.Handle, Kind: e.Kind, Claim: e.Assurance, Owner: o.Level,
				Evidence: []string{e.Message, o.Message}, claimed: c,
			})
		}
	}
	return out, nil
}

// claimOf is what a claim says of the handle's owner.
func claimOf(c Claim, h Handle) []Fact {
	if h.Customer == "" || h.Customer == c.Customer || h.took(c.Customer, c.At) {
		return nil
	}
	return []Fact{{
		When: WhenAsserted, A: c.Customer, B: h.Customer, Handle: h.ID, Kind: h.Kind,
		Claim: c.Level, Owner: h.Level, Evidence: []string{c.Message},
	}}
}

// owned: a handle has an owner or a level that it had not; whoever said that it
// is his waits for that.
func (r *Resolver) owned(ctx context.Context, n news) ([]Fact, error) {
	h, err := r.index.handle(ctx, n.id)
	if err != nil || h.Customer == "" {
		return nil, err
	}
	claims, err := r.index.claimsOf(ctx, h.ID, r.rules.Limits.Candidates+1)
	if err != nil {
		return nil, err
	}
	var out []Fact
	if len(claims) <= r.rules.Limits.Candidates {
		for _, c := range claims {
			out = append(out, claimOf(c, h)...)
		}
	}
	similar, err := r.variants(ctx, h.Customer, h.ID, h.Kind, h.Level, h.Match, nil)
	return append(out, similar...), err
}

// variants are the customers with another address that folds to the same.
func (r *Resolver) variants(ctx context.Context, customer, handle, kind string, level int, hashes, evidence []string) ([]Fact, error) {
	var out []Fact
	for _, hash := range hashes {
		found, err := r.index.matching(ctx, hash, r.rules.Limits.Candidates+1)
		if err != nil {
			return nil, err
		}
		if len(found) > r.rules.Limits.Candidates {
			continue
		}
		for _, m := range found {
			if m.Handle == handle {
				continue
			}
			other, err := r.index.handle(ctx, m.Handle)
			if err != nil {
				return nil, err
			}
			f := Fact{
				When: WhenVariant, A: customer, B: other.Customer, Handle: handle, Kind: kind,
				Claim: level, Owner: other.Level, Evidence: evidence,
			}
			if m.Claimant != "" {
				f.B, f.Owner = m.Claimant, 0
			}
			if f.B != "" && f.B != customer {
				out = append(out, f)
			}
		}
	}
	return out, nil
}
