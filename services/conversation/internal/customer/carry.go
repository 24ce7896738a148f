package customer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// carried adds units that a conversation goes on with here. They keep their
// keys: what was said in them stays where it is stored. They lead to the tenure
// that is attached here now, or, by a split, to the one they were held by.
func (s State) carried(c Commit, v *Conversation, split bool, units []event.Handed) {
	v.Units = slices.Clone(v.Units)
	for _, h := range units {
		handle, ok := handleOfUnit(h.Unit)
		if !ok {
			continue
		}
		u := Unit{
			Key: h.Unit, Handle: handle, Tenure: s.Handle(handle).Tenure, Channel: v.Channel, Inbox: v.Inbox,
			OpenedAt: h.OpenedAt, Last: h.LastMessage, LastSeq: c.Seq, Carried: true,
		}
		if split {
			from, _ := s.Conversation(h.Conversation)
			held, known := from.unit(h.Unit)
			if !known {
				continue
			}
			u.Tenure, u.Channel, u.Inbox, u.ThirdParty, u.Left = held.Tenure, held.Channel, held.Inbox, held.ThirdParty, held.Left
		}
		if i := slices.IndexFunc(v.Units, func(o Unit) bool { return o.Key == u.Key }); i >= 0 {
			u.Channel, u.Inbox = v.Units[i].Channel, v.Units[i].Inbox
			v.Units[i] = u
		} else {
			v.Units = append(v.Units, u)
		}
	}
}

// begins is when a unit began, for its first message or reply: now, or when
// the carried one began that it continues. Nil: it has begun.
func (v *Conversation) begins(key, handle string, tenure int64, now time.Time) *time.Time {
	if _, ok := v.unit(key); ok {
		return nil
	}
	for _, u := range v.Units {
		if u.Carried && !u.Left && u.Handle == handle && u.Tenure == tenure && u.OpenedAt.Before(now) {
			now = u.OpenedAt
		}
	}
	return &now
}

// carries says whether a unit of somebody else's conversation goes on in v.
func (v *Conversation) carries(conversation string) bool {
	return slices.ContainsFunc(v.Units, func(u Unit) bool {
		return u.Carried && !u.Left && strings.HasPrefix(u.Key, "unit/"+conversation+"/")
	})
}

// handleOfUnit reads the handle out of event.UnitKey.
func handleOfUnit(key string) (string, bool) {
	f := strings.Split(key, "/")
	if len(f) != 4 || f[0] != "unit" {
		return "", false
	}
	if _, err := strconv.ParseInt(f[3], 10, 64); err != nil {
		return "", false
	}
	return f[2], true
}
