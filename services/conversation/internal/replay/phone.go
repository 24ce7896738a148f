package replay

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/internal/handleid"
)

// A number without a country code is one only where it was dialled: in the
// region of the number that was called. A conversation says which that was, or
// its inbox's region is given, or one for all that say nothing.

// waiting is a customer's national number until all conversations are known.
type waiting struct {
	at int // in his ends
	history.Handle
}

// phone brings a national number to its international form. What is none, such
// as a short code or a sender's name, stays as it is.
func phone(h history.Handle, regions ...string) (history.Handle, error) {
	if h.Kind != "phone" || !handleid.National(h.Address) {
		return h, nil
	}
	regions = slices.DeleteFunc(regions, func(s string) bool { return s == "" })
	if len(regions) == 0 {
		return h, fmt.Errorf("address: %.40q has no country code, and the region it was dialled in is not known: "+
			"give the conversation a number, or -region", h.Address)
	}
	var found []string
	for _, region := range regions {
		if a, ok := (handleid.Normaliser{Region: region}).International(h.Address); ok && !slices.Contains(found, a) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return h, nil
	case 1:
		h.Address = found[0]
		return h, nil
	}
	return h, fmt.Errorf("address: %.40q is another number in each of the regions %v his conversations are of: write it with its country code",
		h.Address, regions)
}

// region is where a conversation's number was called; "": not known.
func (r *run) region(c *history.Conversation) string {
	return cmp.Or(handleid.RegionOf(c.Number), r.cfg.Regions[c.SourceInbox()], r.cfg.Regions[""])
}

// phones gives customers the numbers that had to wait. A customer with one that
// nobody can read is refused.
func (r *run) phones() {
	p := &r.plan
	regions := map[string][]string{} // by customer
	for _, t := range p.byOrder {
		if reg := r.region(t.rec); reg != "" && !slices.Contains(regions[t.rec.Customer], reg) {
			regions[t.rec.Customer] = append(regions[t.rec.Customer], reg)
		}
	}
	p.order = slices.DeleteFunc(p.order, func(who *person) bool {
		at := regions[who.rec.ID]
		if len(at) == 0 {
			at = []string{r.cfg.Regions[""]}
		}
		for _, w := range who.waiting {
			h, err := phone(w.Handle, at...)
			if err != nil {
				r.bad(who.line, who.rec.Origin.Origin, fmt.Errorf("handles.%d.%w", w.at, err))
				delete(p.people, who.rec.ID)
				r.report.Customers--
				return true
			}
			who.ends[w.at] = r.end(h, who)
		}
		who.waiting = nil
		return false
	})
}
