package readmodel

import "github.com/weftline/weftline/services/conversation/internal/event"

// Ref says where an id that others refer to belongs. Two streams may know the
// same one (a forged Message-ID), so the document's id names the entry too and
// a look-up may find several.
type Ref struct {
	Ref          string `json:"ref"` // keyed hash
	Customer     string `json:"customer"`
	Conversation string `json:"conversation"`
	Entry        string `json:"entry"` // message or reply id
	Position     string `json:"position"`
}

// ID of the document.
func (r Ref) ID() string { return r.Ref + "." + r.Entry }

// RefsOf are the references an event makes known.
func RefsOf(p Place, ev event.Event) []Ref {
	var hashes []string
	r := Ref{Customer: p.Customer, Position: p.Position()}
	switch v := ev.(type) {
	case event.MessageReceived:
		hashes, r.Conversation, r.Entry = v.Refs, v.Conversation, v.Message
	case event.ReplyProgressed:
		hashes, r.Conversation, r.Entry = v.Refs, v.Conversation, v.Reply
	}
	out := make([]Ref, 0, len(hashes))
	for _, h := range hashes {
		r.Ref = h
		out = append(out, r)
	}
	return out
}
