package replay

import (
	"fmt"

	"github.com/weftline/weftline/services/conversation/history"
)

// talk finds a conversation of the file; the first one who asks completes it.
func (r *run) talk(id string) (*talk, error) {
	t, ok := r.plan.talks[id]
	if !ok {
		return nil, fmt.Errorf("conversation: %.80q is not in the file, or was refused", id)
	}
	if t.of != nil {
		return t, nil
	}
	who, ok := r.plan.people[t.rec.Customer]
	if !ok {
		return nil, fmt.Errorf("conversation: %.80q is of a customer who is not in the file, or was refused", id)
	}
	t.of = who
	r.place(t.rec)
	return t, nil
}

// place translates the inbox of a conversation.
func (r *run) place(c *history.Conversation) {
	to, ok := r.cfg.Inboxes[c.Inbox]
	if !ok {
		to, ok = r.cfg.Inboxes[""]
	}
	if ok {
		c.Rename(to)
	}
	if ch, ok := r.Channel(c.Inbox); ok {
		c.Channel = ch
		return
	}
	if r.report.UnknownInboxes == nil {
		r.report.UnknownInboxes = map[string]int{}
	}
	r.report.UnknownInboxes[c.Inbox]++
}
