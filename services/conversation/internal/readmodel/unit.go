package readmodel

import (
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Unit is one conversation's part over one handle in one tenure. Its id is the
// name of its data key. It is written when it is opened and never changes: whose
// it is follows from it and the periods of its handle, and is joined when read,
// since those live on two streams.
type Unit struct {
	ID           string `json:"-"`
	Customer     string `json:"customer"` // whose stream it is stored in
	Conversation string `json:"conversation"`
	Handle       string `json:"handle"`
	Tenure       int64  `json:"tenure"`
	Channel      string `json:"channel"`
	Inbox        string `json:"inbox"`
	// OpenedAt is what a move looks at: when its first message was written; of a
	// unit that goes on with a carried one, that one's.
	OpenedAt time.Time `json:"opened_at"`
}

// NewUnit is the unit an event opens, if it opens one.
func NewUnit(p Place, ev event.Event) (Unit, bool) {
	switch v := ev.(type) {
	case event.MessageReceived:
		if v.UnitOpened != nil {
			return Unit{v.Unit, p.Customer, v.Conversation, v.Handle, v.Tenure, v.Channel, v.Inbox, *v.UnitOpened}, true
		}
	case event.MessageChanged:
		return Unit{v.Unit, p.Customer, "", v.Handle, v.Tenure, v.Channel, v.Inbox, v.OccurredAt}, true
	case event.ReplyRequested:
		if v.UnitOpened != nil {
			return Unit{v.Unit, p.Customer, v.Conversation, v.Handle, v.Tenure, v.Channel, v.Inbox, *v.UnitOpened}, true
		}
	}
	return Unit{}, false
}
