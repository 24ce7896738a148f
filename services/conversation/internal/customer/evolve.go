package customer

import (
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Evolve returns the state after a commit, within DefaultBounds.
func Evolve(s State, c Commit) State { return DefaultBounds.Evolve(s, c) }

// Evolve returns the state after a commit. Neither argument is changed.
func (b Bounds) Evolve(s State, c Commit) State {
	if id, ok := strings.CutPrefix(c.Stream, "customer."); ok {
		s.ID = id
	}
	for _, e := range c.Events {
		s = b.evolve(s, c, e)
	}
	if !said(c.ID) {
		s.Commands = s.Commands.with(c.ID, c.Seq, b.Commands)
	}
	return b.trim(s)
}

func (b Bounds) evolve(s State, c Commit, e event.Event) State {
	switch e := e.(type) {
	case event.CustomerCreated:
		s.Exists = true
	case event.HandleAttached:
		s = s.editHandle(e.Handle, func(h *Handle) {
			h.Kind, h.Tenure, h.Gone = e.Kind, e.Tenure, nil
			for _, id := range e.Seen {
				h.Seen = h.Seen.with(id, c.Seq, b.Seen)
			}
			for _, r := range reached(e.Reach) {
				h.reach(r.Inbox, func(now *Reach) { *now = r })
			}
			if len(e.Seen) > 0 && len(h.Seen.Old) > 0 {
				h.Seen.OldTo = c.Seq
			}
			if e.Forgot || len(e.Seen) > b.Seen {
				h.Seen.Floor = c.Seq
			}
		})
	case event.HandleDetached:
		s = s.gone(c, e)
	case event.ConversationOpened:
		s = s.opened(c, e)
	case event.MessageReceived:
		s = b.received(s, c, e)
	case event.MessageChanged: // shown; what is decided on is that it came
		s = s.editHandle(e.Handle, func(h *Handle) { h.Seen = h.Seen.with(e.Change, c.Seq, b.Seen) })
	case event.ConsentSet:
		s = s.editHandle(e.Handle, func(h *Handle) {
			h.reach(e.Inbox, func(r *Reach) {
				r.Out, r.OutAt, r.Message, r.Unasked = e.Wish == string(channel.OptOut), c.At, e.Message, e.Unasked
			})
		})
	case event.MessageReread: // shown, not decided on
	case event.ConversationReopened:
		s = s.editConversation(e.Conversation, setStatus(Open))
	case event.ConversationClosed:
		s = s.editConversation(e.Conversation, setStatus(Closed))
	case event.ConversationPended:
		s = s.editConversation(e.Conversation, setStatus(Pending))
	case event.ConversationWoken:
		s = s.editConversation(e.Conversation, setStatus(Open))
	case event.ConversationSnoozed:
		s = s.editConversation(e.Conversation, func(v *Conversation) { v.Status, v.Until = Snoozed, e.Until })
	case event.ConversationAssigned:
		s = s.editConversation(e.Conversation, func(v *Conversation) { v.Assignee = e.Assignee })
	case event.ConversationPrioritised:
		s = s.editConversation(e.Conversation, func(v *Conversation) { v.Priority = e.Priority })
	case event.ConversationTagged:
		s = s.editConversation(e.Conversation, func(v *Conversation) { v.Tags = append(slices.Clip(v.Tags), e.Tag) })
	case event.ConversationUntagged:
		s = s.editConversation(e.Conversation, func(v *Conversation) {
			v.Tags = slices.DeleteFunc(slices.Clone(v.Tags), func(t string) bool { return t == e.Tag })
		})
	case event.ErasureDone:
		s = s.buried(e.EraseID)
	case event.HoldPlaced:
		s.Holds = append(slices.Clip(s.Holds), e.Hold)
	case event.HoldLifted:
		s.Holds = slices.DeleteFunc(slices.Clone(s.Holds), func(h string) bool { return h == e.Hold })
	case event.ConversationRetired:
		s = s.retired(e.Conversation)
	case event.ConversationCarried:
		s = s.editConversation(e.Conversation, func(v *Conversation) {
			s.carried(c, v, false, e.Carried)
			v.LastAt, v.LastSeq = c.At, c.Seq
		})
	case event.ConversationAttributed:
		s = s.editConversation(e.Conversation, func(v *Conversation) { v.Speaker = e.Customer })
	case event.CustomerErased:
		s.Erased = e.EraseID
	case event.AttributeSet:
		s.Attributes = slices.DeleteFunc(slices.Clone(s.Attributes), func(name string) bool { return name == e.Name })
		if !e.Removed && len(s.Attributes) < LimitAttributes {
			s.Attributes = append(s.Attributes, e.Name)
		}
	case event.NoteAdded, event.HandleAsserted, event.MessagesMoved: // shown, not decided on
	case event.ReplyRequested:
		s = b.requested(s, c, e)
	case event.ReplyRetried:
		s = b.editReply(s, c, e.Reply, func(r *Reply) {
			r.Conversation, r.Course = e.Conversation, r.Retried(c.At)
		})
	case event.ReplyProgressed:
		s = b.editReply(s, c, e.Reply, func(r *Reply) {
			r.Conversation, r.Course = e.Conversation, r.Progressed(e.State, e.At)
		})
		if len(e.Refs) > 0 {
			s = s.editConversation(e.Conversation, func(v *Conversation) { v.refer(e.Refs, b.Refs) })
		}
	}
	return s
}

func setStatus(status Status) func(*Conversation) {
	return func(v *Conversation) { v.Status = status; v.Until = zero }
}
