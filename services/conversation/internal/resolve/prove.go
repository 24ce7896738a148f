package resolve

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// refusedRules: no rule makes a link of it.
const refusedRules = "rules"

// Proven is a challenge that was met: A gave back what was sent to a handle of B.
type Proven struct {
	Proof   string // its id
	Word    string // code or link
	A, B    string
	Handle  string
	Kind    string // of the handle
	Address string // in clear, for the lists; it goes nowhere
	Owner   int    // level of the handle
	Trace   string
}

// LinkProven judges it like a message's proof, by the rules "when: proof". It
// returns the link's id, link:<proof>, or a word for why there is none: the
// limit it would break, the list the address is on, or "rules". Where a limit
// stands in the way agents get a suggestion that names it, two logins among
// them: that somebody reads the mail of two accounts is worth a look.
//
// Every proof is evidence of its own: it counts also after a link of these two
// was taken back, because it was given later.
func (r *Resolver) LinkProven(ctx context.Context, tenant string, p Proven) (id, refused string, err error) {
	if r.blocked != nil {
		if why := r.blocked(p.Kind, p.Address); r.rules.blocks(why) {
			return "", why, nil
		}
	}
	return r.judge(ctx, tenant, Fact{
		When: WhenProof, A: p.A, B: p.B, Handle: p.Handle, Kind: p.Kind, Word: p.Word, Claim: 3, Owner: p.Owner,
		Evidence: []string{p.Proof}, link: "link:" + p.Proof, cause: p.Proof, trace: p.Trace, shown: true,
	})
}

// Reasons beside a proof.
const (
	reasonProof  = "proof"      // the challenge by its id
	reasonLogins = "two_logins" // why it does not link by itself
	reasonLimit  = "over_limit"
)

// reasons are what is written of a fact, and of the limit it met.
func (f Fact) reasons(limit string) []event.Reason {
	out := []event.Reason{f.reason()}
	if !f.shown {
		return out
	}
	out = append(out, event.Reason{Kind: reasonProof, Evidence: f.Evidence})
	switch limit {
	case "":
	case limitLogins:
		out = append(out, event.Reason{Kind: reasonLogins})
	default:
		out = append(out, event.Reason{Kind: reasonLimit})
	}
	return out
}
