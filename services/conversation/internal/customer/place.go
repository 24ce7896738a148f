package customer

import (
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// place finds the conversation of a message, or the one to open:
//
//	a provable reference to an own conversation ─► that one, reopened if it is not open
//	a reference to what was carried here        ─► the one that goes on with it, reopened if it is not open
//	a provable reference to another's           ─► the own one of that topic, else a new one with that topic
//	none, or from another thread ─► the own latest of the thread not closed within Policy.Join
//	     ─► the own latest closed within Policy.Reopen
//	     ─► a new one
//
// A message never joins a conversation stored in another stream.
func (c Receive) place(s State) (*Conversation, *event.ConversationOpened, error) {
	conv, err := c.referred(s)
	if err != nil {
		return nil, nil, err
	}
	if conv != nil && conv.Thread == c.Thread { // a thread holds its own conversation, whatever a message quotes
		return conv, nil, nil
	}
	if t := c.Reference.Topic; t != "" {
		for _, fits := range []func(*Conversation) bool{
			func(v *Conversation) bool { return v.Topic == t && v.Thread == c.Thread && v.Status != Closed },
			func(v *Conversation) bool { return v.Topic == t && v.Thread == c.Thread },
		} {
			if conv := s.latest(fits); conv != nil {
				return conv, nil, nil
			}
		}
		return nil, c.open(t), nil
	}
	mine := func(v *Conversation) bool { return v.Thread == c.Thread && (!c.Policy.Alone || v.Inbox == c.Inbox) }
	if conv := s.latest(func(v *Conversation) bool {
		return mine(v) && v.Status != Closed && (c.Policy.Join == 0 || c.At.Sub(v.LastAt) <= c.Policy.Join)
	}); conv != nil {
		return conv, nil, nil
	}
	if conv := s.latest(func(v *Conversation) bool {
		return mine(v) && v.Status == Closed && c.At.Sub(v.LastAt) <= c.Policy.Reopen
	}); conv != nil && c.Policy.Reopen > 0 {
		return conv, nil, nil
	}
	return nil, c.open(c.NewConversation), nil
}

// referred finds the own conversation a reference leads to: by the state,
// which is exact for what is recent, else by the look-up's hint.
func (c Receive) referred(s State) (*Conversation, error) {
	if r, ok := s.Reply(c.Reference.Reply); ok {
		if v, err := s.need(r.Conversation); v != nil || isMissing(err) {
			return v, err
		}
	}
	for _, hash := range c.Reference.Hashes {
		if v := s.latest(func(v *Conversation) bool { return slices.Contains(v.Refs, hash) }); v != nil {
			return v, nil
		}
	}
	for _, other := range c.Reference.Carried {
		if v := s.latest(func(v *Conversation) bool { return v.carries(other) }); v != nil {
			return v, nil
		}
	}
	if c.Reference.Conversation == "" {
		return nil, nil
	}
	v, err := s.need(c.Reference.Conversation)
	if isMissing(err) {
		return nil, err
	}
	return v, nil // a hint that leads nowhere is no reference
}

func (c Receive) open(topic string) *event.ConversationOpened {
	return &event.ConversationOpened{
		Conversation: c.NewConversation, Topic: topic, Inbox: c.Inbox, Channel: c.Channel, Thread: c.Thread,
	}
}

// latest is the whole conversation with the last message or reply among those that fit.
func (s State) latest(fits func(*Conversation) bool) *Conversation {
	var best *Conversation
	for _, v := range s.Conversations {
		if !v.Partial && fits(v) && (best == nil || v.LastSeq > best.LastSeq) {
			best = v
		}
	}
	return best
}

func (v *Conversation) unit(key string) (Unit, bool) {
	if v == nil {
		return Unit{}, false
	}
	i := slices.IndexFunc(v.Units, func(u Unit) bool { return u.Key == key })
	if i < 0 {
		return Unit{}, false
	}
	return v.Units[i], true
}
