package customer

import (
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Attach lets messages of a tenure in. It is written with the first message or
// reply over the handle, or alone; always alone where the handle had former
// owners, whose fences must stand first and whose open questions go along.
type Attach struct {
	Handle string
	Kind   string
	Tenure int64
	// Former: somebody else had the handle. Then no message attaches it by the way.
	Former bool

	MoveID string   // by which the tenure began
	Seen   []string // message ids handed over by former owners
	Forgot bool     // they had forgotten others, which the timeline knows
	Heads  []Head   // what goes on here
	Reach  []event.Reached
}

// Head is a conversation of a former owner of which units are carried.
type Head struct {
	Conversation string // there
	Successor    string // id of the one opened here, unless there is one of that topic
	Topic        string
	Channel      string
	Inbox        string
	Units        []event.Handed
}

// CommitID is attach:<handle>:<tenure>.
func (c Attach) CommitID() string { return fmt.Sprintf("attach:%s:%d", c.Handle, c.Tenure) }

func (c Attach) decide(s State) ([]event.Event, error) {
	if h := s.Handle(c.Handle); h.Fence >= c.Tenure || h.Tenure > c.Tenure {
		return nil, &StaleTenureError{Handle: c.Handle, Tenure: c.Tenure}
	}
	if s.Attached(c.Handle, c.Tenure) {
		return nil, nil
	}
	es := append(s.create(nil), event.HandleAttached{
		Handle: c.Handle, Kind: c.Kind, Tenure: c.Tenure, Seen: c.Seen, Forgot: c.Forgot, Reach: c.Reach,
	})
	open := map[string]string{} // topic → conversation that takes what is carried
	for _, h := range c.Heads {
		id, ok := open[h.Topic]
		if !ok {
			v, err := s.ofTopic(h.Topic)
			if err != nil {
				return nil, err
			}
			if v == nil {
				es = append(es, event.ConversationOpened{
					Conversation: h.Successor, Topic: h.Topic, Inbox: h.Inbox, Channel: h.Channel,
					Continues: h.Conversation, Carried: h.Units,
				})
				open[h.Topic] = h.Successor
				continue
			}
			id = v.ID
			open[h.Topic] = id
			if v.Status != Open {
				es = append(es, event.ConversationReopened{Conversation: id, By: c.MoveID})
			}
		}
		es = append(es, event.ConversationCarried{Conversation: id, Continues: h.Conversation, Carried: h.Units})
	}
	return es, nil
}

// ofTopic is the conversation shown under a topic here: the one it is named
// for, else the latest; one that is not closed before one that is.
func (s State) ofTopic(topic string) (*Conversation, error) {
	v, err := s.need(topic)
	if v != nil && v.Status != Closed {
		return v, nil
	}
	if other := s.latest(func(v *Conversation) bool { return v.Topic == topic && v.Status != Closed }); other != nil {
		return other, nil
	}
	if v != nil {
		return v, nil
	}
	if isMissing(err) && s.Exists {
		return nil, err
	}
	return s.latest(func(v *Conversation) bool { return v.Topic == topic }), nil
}

func (s State) create(es []event.Event) []event.Event {
	if s.Exists {
		return es
	}
	return append(es, event.CustomerCreated{})
}

// attach adds the event unless the tenure is attached, fenced or overtaken, or
// is not to be attached by the way.
func (s State) attach(es []event.Event, a Attach) []event.Event {
	if h := s.Handle(a.Handle); a.Former || h.Tenure >= a.Tenure || h.Fence >= a.Tenure {
		return es
	}
	return append(es, event.HandleAttached{Handle: a.Handle, Kind: a.Kind, Tenure: a.Tenure})
}

// takes says whether messages of the tenure are let in, at once or by
// attaching it now.
func (s State) takes(a Attach) error {
	h := s.Handle(a.Handle)
	if h.Fence >= a.Tenure || h.Tenure > a.Tenure || a.Former && h.Tenure < a.Tenure {
		return &StaleTenureError{Handle: a.Handle, Tenure: a.Tenure}
	}
	return nil
}

func isMissing(err error) bool {
	var m *MissingError
	return errors.As(err, &m)
}
