package view

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// Entry shows one line of a timeline, a message as the changes, in the order
// they were done, have left it. Its handle carries the tenure and the
// assurance of that time, and the address as far as handles knows it.
func (v *Viewer) Entry(ctx context.Context, e *readmodel.Entry, handles Handles, changes ...*readmodel.Entry) (*inboxv1.TimelineEntry, error) {
	out := &inboxv1.TimelineEntry{
		Id: e.ID, CustomerId: e.Customer, ConversationId: e.Conversation, Position: e.Position,
		RecordedAt: Stamp(e.At), OccurredAt: Stamp(e.OccurredAt), Channel: e.Channel, InboxId: e.Inbox, Refs: e.Refs,
	}
	var err error
	if e.Handle != "" {
		out.Handle = &inboxv1.Handle{Id: e.Handle, Tenure: e.Tenure, Assurance: int32(e.Assurance)}
		if h := handles[e.Handle]; h != nil {
			out.Handle.Kind = h.Kind
			a, err := v.Address(ctx, h, e.Tenure)
			if err != nil {
				return nil, err
			}
			out.Handle.Address = a.Address
		}
	}
	switch e.Kind {
	case readmodel.KindMessage:
		var m *inboxv1.Message
		m, err = v.inbound(ctx, e)
		out.Body = &inboxv1.TimelineEntry_Message{Message: m}
	case readmodel.KindReply:
		var m *inboxv1.Message
		m, err = v.outbound(ctx, e, out)
		out.Body = &inboxv1.TimelineEntry_Message{Message: m}
	case readmodel.KindChange:
		var c *inboxv1.MessageChange
		c, err = v.change(ctx, e)
		out.Body = &inboxv1.TimelineEntry_Change{Change: c}
	case readmodel.KindNote:
		var n *inboxv1.Note
		n, err = v.note(ctx, e, out)
		out.Body = &inboxv1.TimelineEntry_Note{Note: n}
	case readmodel.KindEvent:
		var b *inboxv1.BusinessEvent
		b, err = v.event(ctx, e)
		out.Body = &inboxv1.TimelineEntry_Event{Event: b}
	case readmodel.KindActivity:
		out.Body = &inboxv1.TimelineEntry_Activity{Activity: &inboxv1.Activity{
			Verb: e.Verb, Actor: e.Actor, Value: e.Value, Until: Stamp(e.Until), Ref: e.Ref, Rule: e.Rule,
		}}
	}
	if m := out.GetMessage(); err == nil && m != nil && len(changes) > 0 {
		err = v.changed(ctx, e, m, changes)
	}
	if err != nil {
		return nil, fmt.Errorf("show entry: %w", err)
	}
	return out, nil
}

func (v *Viewer) inbound(ctx context.Context, e *readmodel.Entry) (*inboxv1.Message, error) {
	m := &inboxv1.Message{
		Direction: inboxv1.Direction_DIRECTION_INBOUND, Assurance: int32(e.Assurance), Flags: e.Flags,
	}
	if e.Raw != "" {
		m.Original = v.FileID(FileOriginal, e.ID, 0)
	}
	plain, flag, err := v.open(ctx, e.Body, event.MessageAAD(e.ID))
	if err != nil {
		return nil, err
	}
	if flag != "" {
		m.Flags = append(m.Flags[:len(m.Flags):len(m.Flags)], flag)
	}
	if flag == FlagErased {
		m.Original = ""
	}
	if plain == nil {
		return m, nil
	}
	var b event.MessageBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return nil, fmt.Errorf("read message body: %w", err)
	}
	v.content(m, e, b.Content)
	m.From, m.FromName, m.To, m.Cc, m.Evidence = b.From, b.FromName, b.To, b.CC, b.Evidence
	return m, nil
}

func (v *Viewer) outbound(ctx context.Context, e *readmodel.Entry, out *inboxv1.TimelineEntry) (*inboxv1.Message, error) {
	d := e.Delivered()
	m := &inboxv1.Message{
		Direction: inboxv1.Direction_DIRECTION_OUTBOUND, Flags: e.Flags, Author: e.Author, Answers: e.Answers,
		Delivery: DeliveryState(d.State),
	}
	var err error
	if m.DeliveryDetail, err = v.text(ctx, d.Detail, event.DetailAAD(e.ID)); err != nil {
		return nil, err
	}
	plain, flag, err := v.open(ctx, e.Body, event.ReplyAAD(e.ID))
	if err != nil {
		return nil, err
	}
	if flag != "" {
		m.Flags = append(m.Flags[:len(m.Flags):len(m.Flags)], flag)
	}
	if plain == nil {
		return m, nil
	}
	var b event.ReplyBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return nil, fmt.Errorf("read reply body: %w", err)
	}
	v.content(m, e, b.Content)
	m.FromName, m.To = b.AuthorName, []string{b.To.Address}
	if t := b.Template; t != nil {
		m.Template = &inboxv1.Template{Name: t.Name, Language: t.Language, Values: t.Values}
	}
	occurred(out, b.OccurredAt)
	return m, nil
}

func (v *Viewer) content(m *inboxv1.Message, e *readmodel.Entry, c channel.Content) {
	m.Text, m.Html, m.Quoted, m.Subject, m.Unparsed = c.Text, c.HTML, c.Quoted, c.Subject, strings.TrimPrefix(c.Unparsed, "could not be read: ") // the reason: the field says the rest
	if f := c.Forwarded; f != nil {
		m.Forwarded = &inboxv1.Claim{Address: f.Address, Name: f.Name}
	}
	for i, a := range c.Attachments {
		f := &inboxv1.Attachment{
			Name: a.Name, ContentType: a.ContentType, Size: a.Size, ContentId: a.ContentID, Inline: a.Inline, Missing: a.Missing,
		}
		if a.Missing == "" {
			f.Id = v.FileID(FileAttachment, e.ID, i)
		}
		m.Attachments = append(m.Attachments, f)
	}
}

func (v *Viewer) note(ctx context.Context, e *readmodel.Entry, out *inboxv1.TimelineEntry) (*inboxv1.Note, error) {
	n := &inboxv1.Note{Author: e.Author}
	plain, _, err := v.open(ctx, e.Body, event.NoteAAD(e.ID))
	if err != nil || plain == nil {
		return n, err
	}
	var b event.NoteBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return nil, fmt.Errorf("read note: %w", err)
	}
	n.Text = b.Text
	if b.AuthorName != "" {
		n.Author = b.AuthorName
	}
	occurred(out, b.OccurredAt)
	return n, nil
}

// occurred says when it happened elsewhere, where it was imported.
func occurred(out *inboxv1.TimelineEntry, at time.Time) {
	if !at.IsZero() {
		out.OccurredAt = Stamp(at.UnixMicro())
	}
}

func (v *Viewer) event(ctx context.Context, e *readmodel.Entry) (*inboxv1.BusinessEvent, error) {
	out := &inboxv1.BusinessEvent{Type: e.Verb}
	plain, _, err := v.open(ctx, e.Body, event.EventAAD(e.ID))
	if err != nil || plain == nil {
		return out, err
	}
	var b event.EventBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return nil, fmt.Errorf("read business event: %w", err)
	}
	out.Title, out.Link, out.Source, out.Payload = b.Title, b.Link, b.Source, string(b.Payload)
	return out, nil
}

// Delivery shows a step of an outbound message for live clients.
func (v *Viewer) Delivery(ctx context.Context, entry string, d readmodel.Delivery) (*inboxv1.DeliveryChange, error) {
	detail, err := v.text(ctx, d.Detail, event.DetailAAD(entry))
	if err != nil {
		return nil, err
	}
	return &inboxv1.DeliveryChange{EntryId: entry, State: DeliveryState(d.State), Detail: detail}, nil
}

// DeliveryState names a stored state.
func DeliveryState(s string) inboxv1.DeliveryState {
	switch channel.State(s) {
	case readmodel.StateQueued:
		return inboxv1.DeliveryState_DELIVERY_STATE_QUEUED
	case channel.StateRetrying:
		return inboxv1.DeliveryState_DELIVERY_STATE_RETRYING
	case channel.StateUnknown:
		return inboxv1.DeliveryState_DELIVERY_STATE_UNKNOWN
	case channel.StateSent:
		return inboxv1.DeliveryState_DELIVERY_STATE_SENT
	case channel.StateDelivered:
		return inboxv1.DeliveryState_DELIVERY_STATE_DELIVERED
	case channel.StateRead:
		return inboxv1.DeliveryState_DELIVERY_STATE_READ
	case channel.StateFailed:
		return inboxv1.DeliveryState_DELIVERY_STATE_FAILED
	}
	return inboxv1.DeliveryState_DELIVERY_STATE_UNSPECIFIED
}

// DeliveryEntry wraps a step of an outbound message as a live entry of its own.
func DeliveryEntry(p readmodel.Place, conversation string, d *inboxv1.DeliveryChange) *inboxv1.TimelineEntry {
	return &inboxv1.TimelineEntry{
		Id: p.Customer + "." + p.Commit + "." + strconv.Itoa(p.Index), CustomerId: p.Customer, ConversationId: conversation,
		Position: p.Position(), RecordedAt: Stamp(p.At.UnixMicro()),
		Body: &inboxv1.TimelineEntry_Delivery{Delivery: d},
	}
}

// Content opens what was said in a message or reply; crypt.ErrShredded when it was erased.
func (v *Viewer) Content(ctx context.Context, e *readmodel.Entry) (channel.Content, error) {
	aad := event.MessageAAD(e.ID)
	switch e.Kind {
	case readmodel.KindMessage:
	case readmodel.KindReply:
		aad = event.ReplyAAD(e.ID)
	case readmodel.KindChange:
		aad = event.ChangeAAD(e.ID)
	default:
		return channel.Content{}, nil
	}
	plain, err := v.keys.Open(ctx, e.Body, aad)
	if err != nil {
		return channel.Content{}, fmt.Errorf("open content: %w", err)
	}
	var c channel.Content // both bodies embed it
	if err := json.Unmarshal(plain, &c); err != nil {
		return channel.Content{}, fmt.Errorf("read content: %w", err)
	}
	return c, nil
}
