package customer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Change takes in what a person did to a message. It asks for no message: that
// may come later, and whether the change counts is seen when both are shown. It
// opens and wakes nothing. Its body is sealed after the decision.
type Change struct {
	Change         string
	Target         string // keyed hash of a reference
	Action         channel.Action
	Handle         Attach // of whoever did it
	Channel, Inbox string
	OccurredAt     time.Time
	Assurance      int
	Flags          []string
	Raw            string
	Forget         bool // the inbox keeps nothing of what is deleted

	// RecalledTo: the timeline, complete up to this sequence, does not know the change.
	RecalledTo uint64
}

// actions are those a change can have.
var actions = []channel.Action{channel.Edited, channel.Deleted, channel.Reacted, channel.Unreacted}

// CommitID is change:<change>.
func (c Change) CommitID() string { return "change:" + c.Change }

func (c Change) decide(s State) ([]event.Event, error) {
	if !slices.Contains(actions, c.Action) {
		return nil, &FieldError{Field: "action", Problem: fmt.Sprintf("%.20q is none of edited, deleted, reacted, unreacted", c.Action)}
	}
	if s.SeenMessage(c.Change) {
		return nil, nil
	}
	if s.Erased != "" {
		return nil, &ErasedError{Customer: s.ID, EraseID: s.Erased}
	}
	if err := s.takes(c.Handle); err != nil {
		return nil, err
	}
	if err := recall(s.Handle(c.Handle.Handle).Seen, c.Change, c.RecalledTo); err != nil {
		return nil, err
	}
	return append(s.attach(s.create(nil), c.Handle), event.MessageChanged{
		Change: c.Change, Target: c.Target, Action: string(c.Action), Handle: c.Handle.Handle, Tenure: c.Handle.Tenure,
		Channel: c.Channel, Inbox: c.Inbox, OccurredAt: c.OccurredAt,
		Unit:      event.UnitKey(c.Change, c.Handle.Handle, c.Handle.Tenure),
		Assurance: c.Assurance, Flags: c.Flags, Raw: c.Raw, Forget: c.Forget && c.Action == channel.Deleted,
	}), nil
}

// said tells commits that are remembered with their handle, over moves too,
// from orders.
func said(commit string) bool {
	return strings.HasPrefix(commit, "msg:") || strings.HasPrefix(commit, "change:") || strings.HasPrefix(commit, "receipt:")
}
