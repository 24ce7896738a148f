package historytest

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"pgregory.net/rapid"
)

// Step appends one random valid commit (two when a customer is met or a handle
// claimed, now and then none).
func (h *History) Step(t *rapid.T) {
	if len(h.Customers) == 0 || rapid.IntRange(0, 7).Draw(t, "new") == 0 {
		h.Meet(t, h.address(), "subject "+word(t), "hello "+word(t))
		return
	}
	c := rapid.SampledFrom(h.Customers).Draw(t, "customer")
	conv := rapid.SampledFrom(c.Conversations).Draw(t, "conversation")
	agent := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "agent")
	switch step := rapid.IntRange(0, 18).Draw(t, "step"); step {
	case 0, 1, 2:
		h.Say(t, c, conv, rapid.SampledFrom(c.Handles).Draw(t, "handle"), "message "+word(t))
	case 3, 4:
		if !h.answerable(c, conv) {
			h.Note(t, c, conv, agent, "note "+word(t))
			return
		}
		h.Reply(t, c, conv, agent, "reply "+word(t))
	case 5:
		h.progress(t, c, conv, agent)
	case 6:
		h.Note(t, c, conv, agent, "note "+word(t))
	case 7:
		h.Do(t, c, agent, event.ConversationAssigned{Conversation: conv.ID, Assignee: rapid.SampledFrom([]string{"", "ada", "bob"}).Draw(t, "assignee")})
	case 8:
		h.status(t, c, conv, agent)
	case 9:
		h.Do(t, c, agent,
			event.ConversationTagged{Conversation: conv.ID, Tag: word(t)},
			event.ConversationPrioritised{Conversation: conv.ID, Priority: rapid.SampledFrom([]string{"low", "high"}).Draw(t, "priority")})
	case 10:
		name := rapid.SampledFrom([]string{"name", "plan"}).Draw(t, "attribute")
		h.Do(t, c, agent, event.AttributeSet{Name: name, Value: h.Seal(t, event.CustomerKey(c.ID), word(t), event.AttributeAAD(c.ID, name))})
	case 11:
		hd := h.Claim(t, c, h.address())
		h.Append(t, "customer."+c.ID, "attach:"+hd.ID, "system", event.HandleAttached{Handle: hd.ID, Kind: hd.Address.Kind, Tenure: 1})
	case 12:
		h.open(t, c)
	default:
		h.identity(t, step, c, conv, agent)
	}
}

// progress moves a reply on, forward only.
func (h *History) progress(t *rapid.T, c *Customer, conv *Conversation, agent string) {
	if len(conv.Replies) == 0 {
		h.Note(t, c, conv, agent, "note "+word(t))
		return
	}
	reply := rapid.SampledFrom(conv.Replies).Draw(t, "reply")
	from := conv.States[reply]
	if from == "failed" {
		conv.States[reply] = customer.Queued
		h.Do(t, c, agent, event.ReplyRetried{Reply: reply, Conversation: conv.ID, Attempt: 2})
		return
	}
	if to := rapid.SampledFrom([]string{"unknown", "sent", "delivered", "read", "failed"}).Draw(t, "state"); customer.Forward(from, to, false) {
		h.Progress(t, c, conv, reply, to)
	}
}

func (h *History) address() channel.Address {
	h.n++
	return channel.Address{Kind: "email", Address: fmt.Sprintf("p%d@example.org", h.n), Name: fmt.Sprintf("Person %d", h.n)}
}

func (h *History) open(t *rapid.T, c *Customer) eventstore.Commit {
	conv := &Conversation{ID: h.ID("co"), Status: "open"}
	c.Conversations = append(c.Conversations, conv)
	m := h.message(t, conv, c.Handles[0], "another matter", "about "+word(t))
	return h.Append(t, "customer."+c.ID, "msg:"+m.Message, "customer",
		event.ConversationOpened{Conversation: conv.ID, Topic: conv.ID, Inbox: "sales", Channel: "email"}, m)
}

func (h *History) status(t *rapid.T, c *Customer, conv *Conversation, agent string) {
	var ev event.Event
	switch conv.Status = rapid.SampledFrom([]string{"open", "pending", "snoozed", "closed"}).Draw(t, "status"); conv.Status {
	case "open":
		ev = event.ConversationReopened{Conversation: conv.ID, By: agent}
	case "pending":
		ev = event.ConversationPended{Conversation: conv.ID}
	case "snoozed":
		ev = event.ConversationSnoozed{Conversation: conv.ID, Until: h.Now.Add(time.Hour)}
	case "closed":
		ev = event.ConversationClosed{Conversation: conv.ID}
	}
	h.Do(t, c, agent, ev)
}

func word(t *rapid.T) string {
	return rapid.SampledFrom([]string{"amber", "birch", "cedar", "delta", "ember"}).Draw(t, "word")
}
