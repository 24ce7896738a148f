package replay

import (
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/internal/handleid"
)

// end is the address a handle names.
func (r *run) end(h history.Handle, who *person) *end {
	inbox := h.Inbox
	if to, ok := r.cfg.Inboxes[inbox]; ok && inbox != "" {
		inbox = to
	}
	a := channel.Address{Kind: h.Kind, Address: h.Address, Scope: inbox}
	id := handleid.Of(r.Keys, a)
	e := r.plan.ends[id]
	if e == nil {
		e = &end{id: id, addr: a, of: who}
		r.plan.ends[id] = e
	}
	e.level = max(e.level, h.Assurance)
	return e
}

// kindFor is the kind of address a channel writes to.
var kindFor = map[string]string{"email": "email", "sms": "phone", "whatsapp": "phone", "phone": "phone"}

// fitting is the address to take where a message names none.
func (r *run) fitting(who *person, ch string) *end {
	want := kindFor[ch]
	for _, e := range who.ends {
		if e.addr.Kind == want || want == "" && e.addr.Kind == ch {
			return e
		}
	}
	if len(who.ends) == 0 {
		// He has none: his id at the source is all that is known of him.
		who.ends = append(who.ends, r.end(history.Handle{Kind: "external", Inbox: r.plan.header.Source, Address: who.rec.ID}, who))
	}
	return who.ends[0]
}
