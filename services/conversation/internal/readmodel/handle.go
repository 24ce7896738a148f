package readmodel

import (
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
	"github.com/weftline/weftline/services/internal/crypt"
)

// Handle is what a handle's own stream says: who owns it now, and who did.
type Handle struct {
	ID       string `json:"-"`
	Kind     string `json:"kind"`
	Scope    string `json:"scope,omitempty"`
	Customer string `json:"customer"` // "" when nobody owns it
	Tenure   int64  `json:"tenure"`
	// Address is JSON of event.Address, sealed in the tenure AddressTenure.
	Address       crypt.Sealed `json:"address,omitzero"`
	AddressTenure int64        `json:"address_tenure,omitempty"`
	// Former are the addresses of tenures before, each under its own key.
	Former []Former `json:"former,omitempty"`
	Levels []Level  `json:"levels,omitempty"` // oldest first, growing within a tenure; a move begins anew
	// Periods say whose a unit is.
	Periods   tenure.History `json:"periods,omitempty"`
	Qualifier string         `json:"qualifier,omitempty"`
}

// Former is the address as a tenure that is over had it.
type Former struct {
	Tenure  int64        `json:"tenure"`
	Address crypt.Sealed `json:"address"`
}

// AddressOf is the address as a tenure has it, and the tenure it is sealed in:
// the present one for a tenure that is not known.
func (h *Handle) AddressOf(number int64) (crypt.Sealed, int64) {
	for _, f := range h.Former {
		if f.Tenure == number {
			return f.Address, f.Tenure
		}
	}
	return h.Address, h.AddressTenure
}

// MovedAfter says that a unit of a tenure may belong to somebody else than who
// it is stored with.
func (h *Handle) MovedAfter(number int64) bool {
	if h == nil {
		return false
	}
	for _, p := range h.Periods {
		if p.Number > number && p.MoveID != "" {
			return true
		}
	}
	return false
}

// MovedTo says that a customer got it by a move, so that units stored with
// others may belong to him.
func (h *Handle) MovedTo(customer string) bool {
	if h == nil {
		return false
	}
	for _, p := range h.Periods {
		if p.Customer == customer && p.MoveID != "" {
			return true
		}
	}
	return false
}

// Level is an assurance and since when it holds.
type Level struct {
	Assurance int   `json:"assurance"`
	At        int64 `json:"at"`
	Tenure    int64 `json:"tenure"`
}

// Assurance is the level that a tenure has come to; 0 is the present one. What
// goes out to a former owner's conversation has his, not the next one's.
func (h *Handle) Assurance(tenure int64) int {
	if tenure == 0 {
		tenure = h.Tenure
	}
	level := 0
	for _, l := range h.Levels {
		if l.Tenure == tenure {
			level = l.Assurance
		}
	}
	return level
}

// Highest is the highest level since the handle was claimed, whoever owned it: a
// login stays one after a move, though nobody has logged in for its new owner.
func (h *Handle) Highest() int {
	highest := 0
	for _, l := range h.Levels {
		highest = max(highest, l.Assurance)
	}
	return highest
}

// Apply folds one event of its stream and says whether it changed the document.
func (h *Handle) Apply(p Place, ev event.Event) bool {
	switch v := ev.(type) {
	case event.HandleClaimed:
		h.former()
		*h = Handle{
			ID: p.Handle, Kind: v.Kind, Scope: v.Scope, Customer: v.Customer, Tenure: v.Tenure,
			Address: v.Address, AddressTenure: v.Tenure, Levels: []Level{{v.Assurance, micro(p.At), v.Tenure}},
			Former: h.Former, Periods: h.Periods, Qualifier: h.Qualifier,
		}
		h.period(tenure.Period{Number: v.Tenure, Customer: v.Customer, At: p.At})
	case event.HandleMoved:
		h.Customer, h.Tenure = v.To, v.Tenure
		if len(v.Address.Box) > 0 {
			h.former()
			h.Address, h.AddressTenure = v.Address, v.Tenure
		}
		h.Levels = append(h.Levels[:len(h.Levels):len(h.Levels)], Level{0, micro(p.At), v.Tenure})
		h.period(tenure.Period{Number: v.Tenure, Customer: v.To, At: p.At, ValidFrom: v.ValidFrom, MoveID: v.MoveID})
	case event.HandleReleased:
		if h.alone(h.Customer) {
			// Nothing of what came before: a purge may have taken it from the log.
			*h = Handle{ID: h.ID, Tenure: v.Tenure}
		}
		h.Customer, h.Address, h.AddressTenure, h.Levels = "", crypt.Sealed{}, 0, nil
		h.period(tenure.Period{Number: v.Tenure, At: p.At, EraseID: v.EraseID})
	case event.HandleQualified:
		h.Qualifier = v.Qualifier
		if v.Qualifier == "none" {
			h.Qualifier = ""
		}
	case event.HandleAssured:
		h.assured(Level{v.Assurance, micro(p.At), h.Tenure})
	default:
		return false
	}
	return true
}

// former puts the present address with those of tenures before.
func (h *Handle) former() {
	if h.AddressTenure > 0 {
		h.Former = append(h.Former[:len(h.Former):len(h.Former)], Former{h.AddressTenure, h.Address})
	}
}

func (h *Handle) period(p tenure.Period) {
	h.Periods = append(h.Periods[:len(h.Periods):len(h.Periods)], p)
}

// alone says that nobody but a customer ever owned it, as far as its stream tells.
func (h *Handle) alone(customer string) bool {
	for _, p := range h.Periods {
		if p.Customer != "" && p.Customer != customer {
			return false
		}
	}
	return true
}

// assured keeps every rise, and of proofs that raise nothing the last one: what
// was said since then rests on it.
func (h *Handle) assured(l Level) {
	now := h.Assurance(0)
	if l.Assurance <= now && l.Assurance < Proven {
		return
	}
	l.Assurance = max(l.Assurance, now)
	n := len(h.Levels)
	if n > 1 && h.Levels[n-1].Assurance == l.Assurance && h.Levels[n-2].Assurance == l.Assurance {
		n--
	}
	h.Levels = append(h.Levels[:n:n], l)
}
