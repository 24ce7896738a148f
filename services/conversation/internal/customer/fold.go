package customer

import (
	"cmp"
	"slices"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

var zero time.Time

func (s State) opened(c Commit, e event.ConversationOpened) State {
	v := &Conversation{
		ID: e.Conversation, Topic: e.Topic, Status: Open, Inbox: e.Inbox, Channel: e.Channel,
		LastAt: c.At, LastSeq: c.Seq, OpenSeq: c.Seq, Thread: e.Thread,
	}
	s.carried(c, v, e.Continues == "", e.Carried)
	s.Conversations = append(slices.Clip(s.Conversations), v)
	return s
}

func (b Bounds) received(s State, c Commit, e event.MessageReceived) State {
	s = s.editHandle(e.Handle, func(h *Handle) {
		h.Seen = h.Seen.with(e.Message, c.Seq, b.Seen)
		if !e.Imported {
			h.reach(e.Inbox, func(r *Reach) {
				r.LastAt = c.At
				if !slices.Contains(e.Flags, FlagAutoReply) && !slices.Contains(e.Flags, FlagBounce) {
					r.AskedAt = c.At
				}
			})
		}
	})
	third := slices.Contains(e.Flags, FlagThirdParty)
	s = b.room(s, e.Conversation, e.Unit)
	return s.editConversation(e.Conversation, func(v *Conversation) {
		v.said(c)
		v.refer(e.Refs, b.Refs)
		u := v.openUnit(e.Unit, e.Handle, e.Tenure, e.UnitOpened, e.OccurredAt)
		u.Channel, u.Inbox = e.Channel, e.Inbox
		if !third || u.Last == "" || u.ThirdParty {
			u.Last, u.LastSeq, u.ThirdParty = e.Message, c.Seq, third
		}
	})
}

func (b Bounds) requested(s State, c Commit, e event.ReplyRequested) State {
	s.Replies = append(slices.Clip(s.Replies), &Reply{
		ID: e.Reply, Conversation: e.Conversation, Unit: e.Unit, Course: Asked(),
	})
	s = b.forgetReplies(s, c)
	s = b.room(s, e.Conversation, e.Unit)
	return s.editConversation(e.Conversation, func(v *Conversation) {
		v.said(c)
		u := v.openUnit(e.Unit, e.Handle, e.Tenure, e.UnitOpened, c.At)
		u.Channel, u.Inbox = e.Channel, e.Inbox
	})
}

func (v *Conversation) said(c Commit) {
	v.Version++
	v.LastAt, v.LastSeq = c.At, c.Seq
}

func (v *Conversation) refer(hashes []string, keep int) {
	v.Refs = append(slices.Clip(v.Refs), hashes...)
	if extra := len(v.Refs) - keep; extra > 0 {
		v.Refs = slices.Clone(v.Refs[extra:])
	}
}

// openUnit finds or adds a unit. v is a copy of its own; its Units are copied here.
func (v *Conversation) openUnit(key, handle string, tenure int64, opened *time.Time, first time.Time) *Unit {
	v.Units = slices.Clone(v.Units)
	if i := slices.IndexFunc(v.Units, func(u Unit) bool { return u.Key == key }); i >= 0 {
		return &v.Units[i]
	}
	if opened != nil {
		first = *opened
	}
	v.Units = append(v.Units, Unit{Key: key, Handle: handle, Tenure: tenure, OpenedAt: first})
	return &v.Units[len(v.Units)-1]
}

// room forgets the oldest unit of a conversation that has too many for one more.
func (b Bounds) room(s State, conversation, key string) State {
	i := s.conversationIndex(conversation)
	if i < 0 || s.Whole || len(s.Conversations[i].Units) < b.Units {
		return s
	}
	if _, ok := s.Conversations[i].unit(key); ok {
		return s
	}
	s.Forgot = true
	return s.editConversation(conversation, func(v *Conversation) { v.Units = v.Units[1:] })
}

func (s State) editHandle(id string, edit func(*Handle)) State {
	s.Handles = slices.Clone(s.Handles)
	i := s.handleIndex(id)
	if i < 0 {
		s.Handles = append(s.Handles, Handle{ID: id})
		i = len(s.Handles) - 1
	}
	edit(&s.Handles[i])
	return s
}

// editConversation changes a copy. A forgotten conversation comes back as a partial one.
func (s State) editConversation(id string, edit func(*Conversation)) State {
	s.Conversations = slices.Clone(s.Conversations)
	i := s.conversationIndex(id)
	if i < 0 {
		s.Conversations = append(s.Conversations, &Conversation{ID: id, Partial: true})
		i = len(s.Conversations) - 1
	}
	v := *s.Conversations[i]
	edit(&v)
	s.Conversations[i] = &v
	return s
}

// editReply changes a copy; a forgotten reply comes back, because a retry
// brings it into flight again.
func (b Bounds) editReply(s State, c Commit, id string, edit func(*Reply)) State {
	i := slices.IndexFunc(s.Replies, func(r *Reply) bool { return r.ID == id })
	if i < 0 { // it stays forgotten, since half of it would be taken for all; the look-up has to have this, too
		s.ReplyFloor = c.Seq
		return s
	}
	s.Replies = slices.Clone(s.Replies)
	r := *s.Replies[i]
	edit(&r)
	s.Replies[i] = &r
	return s
}

// Trim brings a state back within bounds.
func (b Bounds) Trim(s State) State {
	s.Whole = false
	return b.trim(s)
}

// trim forgets the conversations that were silent longest, closed ones first.
func (b Bounds) trim(s State) State {
	closed := 0
	for _, v := range s.Conversations {
		if v.Status == Closed {
			closed++
		}
	}
	if s.Whole || closed <= b.Closed && len(s.Conversations) <= b.All {
		return s
	}
	byAge := slices.Clone(s.Conversations)
	slices.SortStableFunc(byAge, func(a, b *Conversation) int { return cmp.Compare(a.LastSeq, b.LastSeq) })
	drop := map[string]bool{}
	for _, v := range byAge {
		if slices.Contains(s.Pinned, v.ID) {
			continue
		}
		if v.Status == Closed && closed > b.Closed {
			closed--
			drop[v.ID] = true
		} else if len(s.Conversations)-len(drop) > b.All {
			drop[v.ID] = true
			s.Forgot = s.Forgot || v.Status != Closed
		}
	}
	s.Conversations = slices.DeleteFunc(slices.Clone(s.Conversations), func(v *Conversation) bool { return drop[v.ID] })
	return s
}

func (b Bounds) forgetReplies(s State, c Commit) State {
	if extra := len(s.Replies) - b.Replies; extra > 0 {
		s.Replies, s.ReplyFloor = s.Replies[extra:], c.Seq
	}
	return s
}
