package view

import (
	"context"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// Conversation shows a row of the queue. customer may be nil when it is not
// known (yet); others are those he is one person with. Person and topic are his
// own: who knows of links and joins puts others in their place.
func (v *Viewer) Conversation(ctx context.Context, c *readmodel.Conversation, customer *readmodel.Customer, handles Handles, others ...*readmodel.Customer) (*inboxv1.Conversation, error) {
	out := &inboxv1.Conversation{
		Id: c.ID, CustomerId: c.Customer, Status: Status(c.Status), SnoozedUntil: Stamp(c.SnoozedUntil),
		Priority: Priority(c.Priority), Tags: c.Tags, Channel: c.Channel, InboxId: c.Inbox,
		OpenedAt: Stamp(c.OpenedAt), LastAt: Stamp(c.LastAt), WaitingSince: Stamp(c.WaitingSince),
		Messages: c.Version, Version: c.Version, PersonId: c.Customer, TopicId: c.Topic, AttributedTo: c.AttributedTo,
		Assurance: int32(c.Assurance(func(id string) *readmodel.Handle { return handles[id] })),
	}
	if c.Assignee != readmodel.NoAssignee {
		out.Assignee = c.Assignee
	}
	var err error
	if out.Subject, err = v.Subject(ctx, c); err != nil {
		return nil, err
	}
	if out.Preview, err = v.text(ctx, c.Preview.Sealed, readmodel.PreviewAAD(c.Preview.Of)); err != nil {
		return nil, err
	}
	if out.CustomerName, err = v.Name(ctx, handles, append([]*readmodel.Customer{customer}, others...)...); err != nil {
		return nil, err
	}
	out.ReplyTarget, err = v.replyTarget(ctx, c, customer, handles, others)
	return out, err
}

// Subject is a conversation's subject, "" when it has none or it was erased.
func (v *Viewer) Subject(ctx context.Context, c *readmodel.Conversation) (string, error) {
	return v.text(ctx, c.Subject, event.SubjectAAD(c.ID))
}

// Fragment shows the part of a conversation that belongs to another customer
// than the one who keeps it: that there is one, and nothing of what is said of
// the conversation itself.
func (v *Viewer) Fragment(u *readmodel.Unit, owner string) *inboxv1.Conversation {
	return &inboxv1.Conversation{
		Id: u.Conversation, CustomerId: owner, PersonId: owner, TopicId: u.Conversation, Fragment: true,
		Channel: u.Channel, InboxId: u.Inbox, OpenedAt: Stamp(u.OpenedAt.UnixMicro()),
	}
}

// replyTarget is where a reply would go now, nil when there is nothing to answer.
func (v *Viewer) replyTarget(ctx context.Context, c *readmodel.Conversation, customer *readmodel.Customer, handles Handles, others []*readmodel.Customer) (*inboxv1.ReplyTarget, error) {
	t, open, ok := c.Target(customer)
	if !ok {
		return nil, nil
	}
	h, err := v.Handle(ctx, t.Handle, t.Tenure, handles[t.Handle])
	if err != nil {
		return nil, err
	}
	h.Tenure = t.Tenure
	out := &inboxv1.ReplyTarget{Answers: t.Message, Handle: h, Channel: t.Channel, InboxId: t.Inbox}
	switch {
	case !open:
		out.Refused = "this address belongs to another customer now"
	case v.gone(t.Channel, t.Inbox):
		out.Refused = "this inbox no longer exists"
	}
	reach := customer.Reach(t.Handle, t.Inbox)
	out.OptedOut = consent(reach)
	if !reach.Refuses(reach.AskedAt) { // then that of another he is one person with: the stricter counts
		out.OptedOut = nil
		for _, o := range others {
			if r, ok := o.OptedOut(t.Inbox); ok && r.Refuses(reach.AskedAt) && (customer == nil || o.ID != customer.ID) {
				out.OptedOut = consent(r)
			}
		}
	}
	if v.can == nil {
		return out, nil
	}
	can, ok := v.can(t.Channel, t.Inbox)
	if !ok {
		return out, nil
	}
	out.Capabilities = capabilities(can)
	if can.ReplyWindow > 0 {
		ends := reach.LastAt + can.ReplyWindow.Microseconds()
		if reach.LastAt == 0 {
			ends = c.OpenedAt // he never wrote over it
		}
		out.WindowEndsAt = Stamp(ends)
	}
	return out, nil
}

func capabilities(c channel.Capabilities) *inboxv1.Capabilities {
	return &inboxv1.Capabilities{
		TextLimit: int32(c.TextLimit), TextUnit: string(c.TextUnit), Parts: int32(c.Parts), Html: c.HTML,
		Attachments: c.Attachments, AttachmentLimit: c.AttachmentLimit, AttachmentsPerMessage: int32(c.AttachmentsPerMessage),
		AttachmentTypes: c.AttachmentTypes, ReplyWindowSeconds: int64(c.ReplyWindow / time.Second), Templates: c.Templates,
	}
}

// consent shows what was said of being written to, nil when nothing was.
func consent(r readmodel.Reach) *inboxv1.Consent {
	if r.Wish == "" {
		return nil
	}
	return &inboxv1.Consent{HandleId: r.Handle, InboxId: r.Inbox, Wish: r.Wish, At: Stamp(r.At), EntryId: r.Message, Actor: r.Actor}
}

// Status names a stored status.
func Status(s string) inboxv1.Status {
	return inboxv1.Status(inboxv1.Status_value["STATUS_"+strings.ToUpper(s)])
}

// StatusName is the stored form of a status, "" for unspecified.
func StatusName(s inboxv1.Status) string {
	if s == inboxv1.Status_STATUS_UNSPECIFIED {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(s.String(), "STATUS_"))
}

// Priority names a stored priority; none is normal.
func Priority(s string) inboxv1.Priority {
	if s == "" {
		return inboxv1.Priority_PRIORITY_NORMAL
	}
	return inboxv1.Priority(inboxv1.Priority_value["PRIORITY_"+strings.ToUpper(s)])
}

// PriorityName is the stored form of a priority, "" for unspecified.
func PriorityName(p inboxv1.Priority) string {
	if p == inboxv1.Priority_PRIORITY_UNSPECIFIED {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(p.String(), "PRIORITY_"))
}
