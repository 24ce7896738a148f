// Package repeat is the repeat meter: how often a customer had to explain the
// same thing again. It is pure, and counts one customer's stream alone, so the
// figures of a person are the sums of his customers' and a merge changes none.
package repeat

import (
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Definition is what is counted, for whoever reads the figures.
const Definition = `A repeat is one of:
(a) new conversation: the customer begins a conversation within 7 days after the last message or the closing of an earlier one of his on the same topic: it has the same topic id, or the same subject once prefixes such as "Re:" and "Fwd:", case and spaces are left out, or an agent joined the two. Counted once per conversation. Conversations we begin, successors after a move and parts split off are none.
(b) new channel: the customer writes by another channel than his last message on the same topic, while that message is unanswered. Counted per message.
(c) new agent: another agent answers in a conversation than the one who answered before, and the customer wrote in between. Counted per reply; automatic replies neither count nor answer.
Automatic and third parties' messages are none of the customer's. The day is the UTC day it was recorded, for what was imported the day it happened. A customer's earlier conversations are the 20 in which something happened last.`

// Window is how long after a conversation a new one repeats it.
const Window = 7 * 24 * time.Hour

// Kinds.
const (
	Conversation    = "conversation" // not a repeat: what they are a part of
	NewConversation = "new_conversation"
	NewChannel      = "new_channel"
	NewAgent        = "new_agent"
)

// Found is one thing that is counted.
type Found struct {
	Kind         string
	ID           string // conversation, message or reply: counted once
	Conversation string
	At           time.Time
	// Before are the conversations before this one within the window, sorted: of
	// a Conversation all of them, as with one of them an agent's join makes it a
	// repeat; of a NewConversation those that it repeats.
	Before []string
	// Keys are the data keys of the two subjects, when those alone are why.
	Keys []string
}

// Meter is what is remembered of a customer. The zero Meter is of one who never wrote.
type Meter struct {
	Recent []Recent `json:"recent,omitempty"` // the one of the last event last
}

// Recent is a conversation as the meter knows it.
type Recent struct {
	Conversation string    `json:"c"`
	Topic        string    `json:"t"`
	Subject      string    `json:"s,omitempty"` // keyed hash
	Key          string    `json:"k,omitempty"` // of the sealed subject
	Last         time.Time `json:"l"`           // last message or closing
	Channel      string    `json:"h,omitempty"` // of his last message while it is unanswered
	Agent        string    `json:"a,omitempty"` // who answered last
	Spoke        bool      `json:"w,omitempty"` // he wrote since
	New          bool      `json:"n,omitempty"` // nobody wrote yet
}

const keep = 20

// Conversations are those it remembers; all says that there never were others.
func (m Meter) Conversations() (ids []string, all bool) {
	for _, r := range m.Recent {
		ids = append(ids, r.Conversation)
	}
	return ids, len(ids) < keep
}

// Apply folds an event of the customer's stream recorded at a time and tells
// what it counts for. subject is the keyed hash of Subject, of a
// ConversationOpened only; "" for none. changed says that the meter is another.
func (m *Meter) Apply(at time.Time, ev event.Event, subject string) (found []Found, changed bool) {
	switch v := ev.(type) {
	case event.ConversationOpened:
		m.put(Recent{
			Conversation: v.Conversation, Topic: v.Topic, Subject: subject, Key: v.Subject.Key, Last: at,
			New: !v.Outbound && v.Continues == "" && len(v.Carried) == 0,
		})
	case event.MessagesMoved:
		return nil, m.change(v.To, func(r *Recent) { r.New = false })
	case event.ConversationClosed:
		return nil, m.change(v.Conversation, func(r *Recent) { r.Last = at })
	case event.ConversationRetired:
		return nil, m.change(v.Conversation, func(r *Recent) { r.Subject, r.Key = "", "" })
	case event.MessageReceived:
		if slices.ContainsFunc(v.Flags, func(f string) bool { return f == "third_party" || f == "auto_reply" || f == "bounce" }) {
			return nil, false
		}
		if v.Imported && !v.OccurredAt.IsZero() {
			at = v.OccurredAt
		}
		return m.said(at, v), true
	case event.ReplyRequested:
		if v.Automatic {
			return nil, false
		}
		return m.answered(at, v), true
	default:
		return nil, false
	}
	return nil, true
}

func (m *Meter) said(at time.Time, v event.MessageReceived) (found []Found) {
	r := m.of(v.Conversation)
	if r.New {
		found = m.begun(at, r)
	}
	for _, o := range m.Recent {
		if (o.Topic == r.Topic || o.Conversation == r.Conversation) && o.Channel != "" && o.Channel != v.Channel {
			found = append(found, Found{Kind: NewChannel, ID: v.Message, Conversation: v.Conversation, At: at})
			break
		}
	}
	r.Last, r.Channel, r.Spoke, r.New = at, v.Channel, true, false
	// What he wrote elsewhere on this topic is asked here now.
	for i, o := range m.Recent {
		if o.Topic == r.Topic && o.Channel != "" {
			m.Recent = slices.Clone(m.Recent)
			m.Recent[i].Channel = ""
		}
	}
	m.put(r)
	return found
}

// begun: he begins a conversation.
func (m *Meter) begun(at time.Time, r Recent) []Found {
	all := Found{Kind: Conversation, ID: r.Conversation, Conversation: r.Conversation, At: at}
	again := Found{Kind: NewConversation, ID: r.Conversation, Conversation: r.Conversation, At: at}
	same := false
	for _, o := range m.Recent {
		if o.Conversation == r.Conversation || o.New || at.Sub(o.Last) > Window {
			continue
		}
		all.Before = append(all.Before, o.Conversation)
		switch {
		case o.Topic == r.Topic:
			if !same {
				same, again.Keys, again.Before = true, nil, nil
			}
			again.Before = append(again.Before, o.Conversation)
		case !same && r.Subject != "" && o.Subject == r.Subject:
			// One is enough: while its subject can be read, this one counts.
			again.Keys, again.Before = []string{o.Key, r.Key}, []string{o.Conversation}
		}
	}
	slices.Sort(all.Before)
	slices.Sort(again.Before)
	if same || again.Keys != nil {
		return []Found{all, again}
	}
	return []Found{all}
}

func (m *Meter) answered(at time.Time, v event.ReplyRequested) (found []Found) {
	r := m.of(v.Conversation)
	if r.Agent != "" && r.Agent != v.Author && r.Spoke {
		found = []Found{{Kind: NewAgent, ID: v.Reply, Conversation: v.Conversation, At: at}}
	}
	r.Last, r.Agent, r.Spoke, r.Channel, r.New = at, v.Author, false, "", false
	m.put(r)
	return found
}

// of is what is remembered of a conversation; of a forgotten one nothing but itself.
func (m *Meter) of(conversation string) Recent {
	for _, r := range m.Recent {
		if r.Conversation == conversation {
			return r
		}
	}
	return Recent{Conversation: conversation, Topic: conversation}
}

func (m *Meter) change(conversation string, f func(*Recent)) bool {
	i := slices.IndexFunc(m.Recent, func(r Recent) bool { return r.Conversation == conversation })
	if i < 0 {
		return false
	}
	m.Recent = slices.Clone(m.Recent)
	f(&m.Recent[i])
	return true
}

// put makes it the last one. The slice is copied: a document may be shared.
func (m *Meter) put(r Recent) {
	out := make([]Recent, 0, len(m.Recent)+1)
	for _, o := range m.Recent {
		if o.Conversation != r.Conversation {
			out = append(out, o)
		}
	}
	out = append(out, r)
	m.Recent = out[max(0, len(out)-keep):]
}

// Subject brings a subject to the form that is compared: without prefixes of
// replies and forwards, case and runs of spaces.
func Subject(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "：", ":")), " "))
	for {
		head, rest, ok := strings.Cut(s, ":")
		if head, _, _ = strings.Cut(head, "["); !ok || !slices.Contains(prefixes, strings.TrimSpace(head)) {
			return s
		}
		s = strings.TrimSpace(rest)
	}
}

// prefixes of replies and forwards as mail programs write them.
var prefixes = []string{
	"re", "fw", "fwd", "aw", "wg", "antw", "sv", "vs", "vb", "tr", "rv", "rif", "r", "i", "enc", "res", "odp", "pd", "ynt", "回复", "答复", "转发",
}
