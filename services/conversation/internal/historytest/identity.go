package historytest

import (
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"pgregory.net/rapid"
)

// Link is one that was made.
type Link struct {
	ID     string
	A, B   *Customer
	Undone bool
}

// Join is one that was made, of conversations.
type Join struct {
	ID     string
	A, B   *Conversation
	Of     [2]*Customer
	Undone bool
}

// Link makes one person of two customers.
func (h *History) Link(t TB, a, b *Customer) *Link {
	t.Helper()
	l := &Link{ID: h.ID("li"), A: a, B: b}
	h.Links = append(h.Links, l)
	h.Append(t, "link."+person.PairID(a.ID, b.ID), l.ID, "ada", event.Linked{Link: l.ID, A: min(a.ID, b.ID), B: max(a.ID, b.ID), Rule: "agent"})
	return l
}

// Unlink takes a link back.
func (h *History) Unlink(t TB, l *Link) eventstore.Commit {
	t.Helper()
	l.Undone = true
	return h.Append(t, "link."+person.PairID(l.A.ID, l.B.ID), "un:"+l.ID, "ada", event.Unlinked{Link: l.ID, Reason: "agent"})
}

// Join shows two conversations as one.
func (h *History) Join(t TB, ca *Customer, a *Conversation, cb *Customer, b *Conversation) *Join {
	t.Helper()
	if a.ID > b.ID {
		ca, a, cb, b = cb, b, ca, a
	}
	j := &Join{ID: h.ID("jo"), A: a, B: b, Of: [2]*Customer{ca, cb}}
	h.Joins = append(h.Joins, j)
	h.Append(t, "join."+a.ID+"."+b.ID, j.ID, "ada", event.ConversationsJoined{Join: j.ID, A: a.ID, B: b.ID, Customers: []string{ca.ID, cb.ID}})
	return j
}

// Unjoin takes a join back.
func (h *History) Unjoin(t TB, j *Join) {
	t.Helper()
	j.Undone = true
	h.Append(t, "join."+j.A.ID+"."+j.B.ID, "un:"+j.ID, "ada", event.ConversationsUnjoined{Join: j.ID, Customers: []string{j.Of[0].ID, j.Of[1].ID}})
}

// Move gives the i-th handle of a customer to another one, as three commits:
// the move, the fence at the old owner, the handle at the new one.
func (h *History) Move(t TB, from *Customer, i int, to *Customer, validFrom time.Time) {
	t.Helper()
	hd := from.Handles[i]
	from.Handles = slices.Delete(slices.Clone(from.Handles), i, i+1)
	move := h.ID("mo")
	a := event.Address{Kind: hd.Address.Kind, Scope: hd.Address.Scope, Address: hd.Address.Address, Name: hd.Address.Name}
	h.Append(t, "handle."+hd.ID, move, "ada", event.HandleMoved{
		MoveID: move, Tenure: hd.Tenure + 1, From: from.ID, To: to.ID, ValidFrom: validFrom, Reason: "wrong number",
		Address: h.Seal(t, event.AddressKey(hd.ID, hd.Tenure+1), a, event.AddressAAD(hd.ID, hd.Tenure+1)),
	})
	h.Append(t, "customer."+from.ID, "detach:"+move, "system", event.HandleDetached{
		Handle: hd.ID, Tenure: hd.Tenure, MoveID: move, ValidFrom: validFrom,
	})
	hd.Tenure++
	hd.Since = h.Now
	h.Append(t, "customer."+to.ID, "attach:"+move, "system", event.HandleAttached{Handle: hd.ID, Kind: hd.Address.Kind, Tenure: hd.Tenure})
	to.Handles = append(slices.Clone(to.Handles), hd)
}

// Split shows a message of a conversation in one of its own.
func (h *History) Split(t TB, c *Customer, conv *Conversation, i int) *Conversation {
	t.Helper()
	m := conv.Messages[i]
	conv.Messages = slices.Delete(slices.Clone(conv.Messages), i, i+1)
	to := &Conversation{ID: h.ID("co"), Status: "open", Messages: []Message{m}}
	c.Conversations = append(c.Conversations, to)
	h.Do(t, c, "ada",
		event.ConversationOpened{Conversation: to.ID, Topic: to.ID, Inbox: "support", Channel: "email"},
		event.MessagesMoved{From: conv.ID, To: to.ID, Messages: []string{m.ID}})
	return to
}

// Event records something of the business.
func (h *History) Event(t TB, c *Customer, title string) eventstore.Commit {
	t.Helper()
	id := h.ID("ev")
	return h.Append(t, "customer."+c.ID, "event:"+id, "shop", event.EventRecorded{
		Event: id, Kind: "order.placed", OccurredAt: h.Now,
		Body: h.Seal(t, event.CustomerKey(c.ID), event.EventBody{Title: title, Link: "https://shop.example/1", Payload: []byte(`{"total":12}`)}, event.EventAAD(id)),
	})
}

// Open begins a conversation of a topic ("" for its own), beside another one
// seen through a link where via is set.
func (h *History) Open(t TB, c *Customer, hd Handle, topic, subject, other, via string) *Conversation {
	t.Helper()
	conv := &Conversation{ID: h.ID("co"), Status: "open"}
	c.Conversations = append(c.Conversations, conv)
	m := h.message(t, conv, hd, subject, "and one more thing")
	opened := event.ConversationOpened{Conversation: conv.ID, Topic: topic, Inbox: "support", Channel: hd.Address.Kind}
	if topic == "" {
		opened.Topic = conv.ID
	}
	if subject != "" {
		opened.Subject = h.Seal(t, m.Unit, subject, event.SubjectAAD(conv.ID))
	}
	if via != "" {
		opened.Beside, opened.Via = []string{other}, []string{via}
	}
	h.Append(t, "customer."+c.ID, "msg:"+m.Message, "customer", opened, m)
	return conv
}

// Crowd makes customers of three handles each, for StepIdentity.
func (h *History) Crowd(t TB, n int) {
	t.Helper()
	for range n {
		c := h.Meet(t, h.address(), "a matter", "hello")
		for range 2 {
			hd := h.Claim(t, c, channel.Address{Kind: "phone", Address: h.ID("+49")})
			h.Append(t, "customer."+c.ID, "attach:"+hd.ID, "system", event.HandleAttached{Handle: hd.ID, Kind: "phone", Tenure: 1})
		}
	}
}

// StepIdentity is a Step that mostly concerns who is who.
func (h *History) StepIdentity(t *rapid.T) {
	c := rapid.SampledFrom(h.Customers).Draw(t, "customer")
	conv := rapid.SampledFrom(c.Conversations).Draw(t, "conversation")
	switch step := rapid.IntRange(8, 21).Draw(t, "step"); {
	case step < 11:
		h.Say(t, c, conv, rapid.SampledFrom(c.Handles).Draw(t, "handle"), "message")
	case step == 11:
		h.Open(t, c, rapid.SampledFrom(c.Handles).Draw(t, "handle"), "", "", "", "")
	case step == 12 && h.answerable(c, conv):
		h.Reply(t, c, conv, "ada", "reply")
	case step > 18:
		h.identity(t, 15, c, conv, "ada")
	default:
		h.identity(t, step, c, conv, "ada")
	}
}

// answerable says that the last message's handle is still his in that tenure.
func (h *History) answerable(c *Customer, conv *Conversation) bool {
	if len(conv.Messages) == 0 {
		return false
	}
	m := conv.Messages[len(conv.Messages)-1]
	return slices.ContainsFunc(c.Handles, func(hd Handle) bool { return hd.ID == m.Handle && hd.Tenure == m.Tenure })
}

// identity is a random step that concerns who is who; a note where it is not possible.
func (h *History) identity(t *rapid.T, step int, c *Customer, conv *Conversation, agent string) {
	other := rapid.SampledFrom(h.Customers).Draw(t, "other")
	switch {
	case step == 13 && other != c:
		h.Link(t, c, other)
	case step == 14:
		h.undo(t, c)
	case step == 15 && other != c && len(c.Handles) > 1:
		i := rapid.IntRange(0, len(c.Handles)-1).Draw(t, "handle moved")
		since := c.Handles[i].Since
		back := time.Duration(rapid.IntRange(0, 200).Draw(t, "valid from")) * time.Millisecond
		if valid := h.Now.Add(-back); valid.After(since) {
			since = valid
		}
		h.Move(t, c, i, other, since)
	case step == 16 && len(conv.Messages) > 1 && len(conv.Replies) == 0:
		h.Split(t, c, conv, rapid.IntRange(0, len(conv.Messages)-1).Draw(t, "message"))
	case step == 17 && len(h.Links) > 0 && other != c:
		subject := rapid.SampledFrom([]string{"", "another matter", "Re: Another  matter"}).Draw(t, "subject")
		topic := rapid.SampledFrom([]string{"", other.Conversations[0].ID}).Draw(t, "topic")
		h.Open(t, c, c.Handles[0], topic, subject, other.Conversations[0].ID, rapid.SampledFrom(h.Links).Draw(t, "via").ID)
	case step == 17:
		h.Do(t, c, agent, event.ConversationAttributed{Conversation: conv.ID, Customer: other.ID})
	case step == 18:
		if o := rapid.SampledFrom(other.Conversations).Draw(t, "joined"); o != conv && rapid.Bool().Draw(t, "join") {
			h.Join(t, c, conv, other, o)
			return
		}
		h.Event(t, c, "order "+word(t))
	default:
		h.Note(t, c, conv, agent, "note "+word(t))
	}
}

// undo takes a link or a join back, if there is one, or claims another handle.
func (h *History) undo(t *rapid.T, c *Customer) {
	links := slices.DeleteFunc(slices.Clone(h.Links), func(l *Link) bool { return l.Undone })
	joins := slices.DeleteFunc(slices.Clone(h.Joins), func(j *Join) bool { return j.Undone })
	switch {
	case len(links) > 0 && (len(joins) == 0 || rapid.Bool().Draw(t, "unlink")):
		h.Unlink(t, rapid.SampledFrom(links).Draw(t, "link"))
	case len(joins) > 0:
		h.Unjoin(t, rapid.SampledFrom(joins).Draw(t, "join"))
	default:
		hd := h.Claim(t, c, channel.Address{Kind: "phone", Address: h.ID("+49")})
		h.Append(t, "customer."+c.ID, "attach:"+hd.ID, "system", event.HandleAttached{Handle: hd.ID, Kind: hd.Address.Kind, Tenure: 1})
	}
}
