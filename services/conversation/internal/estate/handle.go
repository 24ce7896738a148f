package estate

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

// Handle is a handle's own stream, read whole.
type Handle struct {
	ID      string
	Kind    string
	History tenure.History
	// Claims are the beginnings of tenures, by number.
	Claims map[int64]Claim
	// Released is the sequence of the last release, 0 for none; ReleasedBy and
	// Alone say whose tenure it ended, and that no other owner's stands before it.
	Released   uint64
	ReleasedBy string
	Alone      bool
	Qualifier  string
	Assurance  int
}

// Claim is how a tenure began.
type Claim struct {
	Event    event.HandleClaimed // of a claim
	Moved    event.HandleMoved   // of a move
	Actor    string
	Evidence event.Evidence
}

// Last is the present owner and his tenure.
func (h *Handle) Last() tenure.Period { return h.History.Last() }

// Movers are the customers who owned it before c got it by a move: units of
// theirs may be his.
func (h *Handle) Movers(c string) []string {
	var out []string
	var before []string
	for _, p := range h.History {
		switch {
		case p.Customer == "" || p.MoveID == "":
			before = nil
		case p.Customer == c:
			out = append(out, before...)
		}
		if p.Customer != "" && p.Customer != c {
			before = append(before, p.Customer)
		}
	}
	return unique(out)
}

// LoadHandle reads a handle's stream. One that is not there has no history.
func (r *Reader) LoadHandle(ctx context.Context, id string) (*Handle, error) {
	h := &Handle{ID: id, Claims: map[int64]Claim{}, Alone: true}
	for c, err := range r.Events.Load(ctx, r.Tenant, "handle."+id, 0) {
		if err != nil {
			return nil, fmt.Errorf("read handle %s: %w", id, err)
		}
		events, err := codec.Decode(c)
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			switch e := ev.(type) {
			case event.HandleClaimed:
				h.Kind, h.Assurance = e.Kind, e.Assurance
				h.History = append(h.History, tenure.Period{Number: e.Tenure, Customer: e.Customer, At: c.RecordedAt})
				h.Claims[e.Tenure] = Claim{Event: e, Actor: c.Actor, Evidence: e.Evidence}
			case event.HandleMoved:
				h.Assurance = 0
				h.History = append(h.History, tenure.Period{
					Number: e.Tenure, Customer: e.To, At: c.RecordedAt, ValidFrom: e.ValidFrom, MoveID: e.MoveID,
				})
				h.Claims[e.Tenure] = Claim{Moved: e, Actor: c.Actor, Evidence: event.Evidence{Kind: "moved"}}
			case event.HandleReleased:
				owner := h.Last().Customer
				h.History = append(h.History, tenure.Period{Number: e.Tenure, At: c.RecordedAt, EraseID: e.EraseID})
				h.Released, h.ReleasedBy, h.Alone = c.Seq, owner, true
				for _, p := range h.History {
					h.Alone = h.Alone && (p.Customer == "" || p.Customer == owner)
				}
			case event.HandleAssured:
				h.Assurance = max(h.Assurance, e.Assurance)
			case event.HandleQualified:
				h.Qualifier = e.Qualifier
			}
		}
	}
	return h, nil
}

func unique(in []string) []string {
	seen := map[string]bool{}
	out := in[:0:0]
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
