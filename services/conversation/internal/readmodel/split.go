package readmodel

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// split shows messages in another conversation of the same customer. Their
// units, and with them keys and owners, stay.
func (w *Work) split(ctx context.Context, p Place, v event.MessagesMoved) error {
	to := w.conversations.at(v.To, p.Seq)
	var newest *Entry
	for _, id := range v.Messages {
		sl := w.entries.slots[id]
		if sl == nil || !sl.exists {
			continue
		}
		o, ok, err := w.open(ctx, &sl.val)
		if err != nil {
			return err
		}
		// Row and search may lack what the entry has already: their writes are apart.
		if w.entries.at(id, p.Seq) != nil {
			sl.val.Conversation = v.To
			w.entries.wrote(id, sl, p.Seq)
		}
		if ok && !sl.val.Hidden {
			moved := sl.val
			moved.Conversation = v.To
			w.found(p, &moved, o)
		}
		if to == nil || !to.exists {
			continue
		}
		to.val.moved(p, &sl.val)
		if newest == nil || sl.val.Position > newest.Position {
			newest = &sl.val
			if to.val.Preview, err = w.excerpt(ctx, newest, o.preview(), PreviewAAD(id)); err != nil {
				return err
			}
		}
	}
	if to != nil && to.exists {
		w.conversations.wrote(v.To, to, p.Seq)
	}
	return nil
}

// moved takes an entry of another conversation in.
func (c *Conversation) moved(p Place, e *Entry) {
	c.Version++
	c.Channel, c.Inbox = e.Channel, e.Inbox
	u := c.unit(e.Handle, e.Tenure)
	u.Channel, u.Inbox = e.Channel, e.Inbox
	if e.Kind != KindMessage {
		return
	}
	if c.Inbound == "" || e.Assurance < c.Low || e.Assurance >= Proven {
		c.Low = e.Assurance
	}
	c.Inbound, c.LowAt = p.Last(), e.At
	if third := thirdParty(e.Flags); !third || u.Message == "" || u.Third {
		u.Message, u.Seq, u.Third = e.ID, p.Seq, third
	}
}
