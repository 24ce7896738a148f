package stream

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"google.golang.org/protobuf/proto"
)

// schema is where the message of an event is defined.
const schema = "https://github.com/weftline/weftline/blob/main/proto/weftline/event/v1/event.proto#"

// translate makes the public event of a live one; false when it has none.
// Every field is copied by name: what is not named here does not leave.
func translate(tenant string, ev *realtimev1.Event) (cloudevent.Event, bool, error) {
	m, cause := public(ev)
	if m == nil {
		return cloudevent.Event{}, false, nil
	}
	entry := ev.GetEntry()
	name := m.ProtoReflect().Descriptor().Name()
	e, err := cloudevent.New(eventID(m, entry.GetId()), "/weftline/"+tenant, m)
	if err != nil {
		return e, false, fmt.Errorf("translate entry: %w", err)
	}
	e.Subject = "customer/" + entry.GetCustomerId()
	e.Extensions = map[string]string{cloudevent.ExtensionTenant: tenant}
	if c := entry.GetConversationId(); c != "" {
		e.Subject = "conversation/" + c
		e.Extensions[cloudevent.ExtensionCorrelation] = c
	}
	if p := entry.GetPosition(); p != "" {
		e.Extensions[cloudevent.ExtensionSequence] = p
	}
	if cause != "" {
		e.Extensions[cloudevent.ExtensionCausation] = cause
	}
	if at := entry.GetRecordedAt(); at != nil {
		e.Time = at.AsTime()
	}
	e.DataSchema = schema + string(name)
	return e, true, nil
}

// eventID depends on the type and the entry alone, so the same event has the
// same id in every replay and on every way out.
func eventID(m proto.Message, entry string) string {
	h := sha256.Sum256([]byte(string(m.ProtoReflect().Descriptor().FullName()) + "\x00" + entry))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:16]))
}

// public is the message that leaves, and the id of the event it follows from.
func public(ev *realtimev1.Event) (m proto.Message, cause string) {
	entry := ev.GetEntry()
	switch b := entry.GetBody().(type) {
	case *inboxv1.TimelineEntry_Message:
		if b.Message.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND {
			if a := b.Message.GetAnswers(); a != "" {
				cause = eventID(&eventv1.MessageReceived{}, a)
			}
			return replyRequested(entry, b.Message), cause
		}
		return messageReceived(entry, b.Message), ""
	case *inboxv1.TimelineEntry_Change:
		return messageChanged(entry, b.Change), ""
	case *inboxv1.TimelineEntry_Delivery:
		state := deliveryStates[b.Delivery.GetState()]
		if state == "" {
			return nil, ""
		}
		return &eventv1.ReplyProgressed{
			CustomerId: entry.GetCustomerId(), ConversationId: entry.GetConversationId(),
			ReplyId: b.Delivery.GetEntryId(), State: state, Detail: b.Delivery.GetDetail(), Refs: b.Delivery.GetRefs(),
		}, eventID(&eventv1.ReplyRequested{}, b.Delivery.GetEntryId())
	case *inboxv1.TimelineEntry_Activity:
		if m := identity(entry, b.Activity); m != nil {
			return m, ""
		}
		return activity(ev, b.Activity), ""
	case *inboxv1.TimelineEntry_Event:
		return &eventv1.BusinessEventRecorded{
			CustomerId: entry.GetCustomerId(), EventId: entry.GetId(), Type: b.Event.GetType(),
			Title: b.Event.GetTitle(), Link: b.Event.GetLink(), OccurredAt: entry.GetOccurredAt(),
		}, ""
	}
	return nil, "" // notes, and whatever is invented later
}

// deliveryStates are the words of ReplyProgressed.state.
var deliveryStates = map[inboxv1.DeliveryState]string{
	inboxv1.DeliveryState_DELIVERY_STATE_QUEUED:    "queued",
	inboxv1.DeliveryState_DELIVERY_STATE_RETRYING:  "retrying",
	inboxv1.DeliveryState_DELIVERY_STATE_UNKNOWN:   "unknown",
	inboxv1.DeliveryState_DELIVERY_STATE_SENT:      "sent",
	inboxv1.DeliveryState_DELIVERY_STATE_DELIVERED: "delivered",
	inboxv1.DeliveryState_DELIVERY_STATE_READ:      "read",
	inboxv1.DeliveryState_DELIVERY_STATE_FAILED:    "failed",
}

func messageReceived(e *inboxv1.TimelineEntry, m *inboxv1.Message) *eventv1.MessageReceived {
	return &eventv1.MessageReceived{
		CustomerId: e.GetCustomerId(), ConversationId: e.GetConversationId(), MessageId: e.GetId(),
		Channel: e.GetChannel(), InboxId: e.GetInboxId(), HandleId: e.GetHandle().GetId(),
		OccurredAt: e.GetOccurredAt(), Text: m.GetText(), Subject: m.GetSubject(),
		Attachments: attachments(m), Assurance: m.GetAssurance(), Flags: m.GetFlags(), Refs: e.GetRefs(),
	}
}

func messageChanged(e *inboxv1.TimelineEntry, c *inboxv1.MessageChange) *eventv1.MessageChanged {
	m := c.GetMessage()
	return &eventv1.MessageChanged{
		CustomerId: e.GetCustomerId(), ChangeId: e.GetId(), TargetRef: c.GetTargetRef(), Action: c.GetAction(),
		Channel: e.GetChannel(), InboxId: e.GetInboxId(), HandleId: e.GetHandle().GetId(), OccurredAt: e.GetOccurredAt(),
		Text: m.GetText(), Subject: m.GetSubject(), Attachments: attachments(m), Emoji: c.GetEmoji(),
		Assurance: m.GetAssurance(), Flags: m.GetFlags(),
	}
}

func replyRequested(e *inboxv1.TimelineEntry, m *inboxv1.Message) *eventv1.ReplyRequested {
	return &eventv1.ReplyRequested{
		CustomerId: e.GetCustomerId(), ConversationId: e.GetConversationId(), ReplyId: e.GetId(),
		Channel: e.GetChannel(), InboxId: e.GetInboxId(), HandleId: e.GetHandle().GetId(),
		Author: m.GetAuthor(), Text: m.GetText(), Attachments: attachments(m),
	}
}

func attachments(m *inboxv1.Message) []*eventv1.AttachmentInfo {
	var out []*eventv1.AttachmentInfo
	for _, a := range m.GetAttachments() {
		out = append(out, &eventv1.AttachmentInfo{Id: a.GetId(), Name: a.GetName(), ContentType: a.GetContentType(), Size: a.GetSize(), Missing: a.GetMissing()})
	}
	return out
}

// activity is the event of a change; nil for verbs that are not public.
func activity(ev *realtimev1.Event, a *inboxv1.Activity) proto.Message {
	e := ev.GetEntry()
	customer, conversation, actor, value := e.GetCustomerId(), e.GetConversationId(), a.GetActor(), a.GetValue()
	switch a.GetVerb() {
	case "created":
		return &eventv1.CustomerCreated{CustomerId: customer}
	case "handle_attached":
		h := e.GetHandle()
		kind := h.GetKind()
		if kind == "" {
			kind = value
		}
		return &eventv1.HandleAttached{
			CustomerId: customer, HandleId: h.GetId(), Kind: kind, Address: h.GetAddress(),
			Tenure: h.GetTenure(), Assurance: h.GetAssurance(),
		}
	case "consent":
		return &eventv1.ConsentSet{CustomerId: customer, HandleId: e.GetHandle().GetId(), InboxId: e.GetInboxId(), Wish: value, Actor: actor}
	case "attribute":
		return &eventv1.AttributeSet{CustomerId: customer, Actor: actor, Name: value}
	case "opened":
		return &eventv1.ConversationOpened{
			CustomerId: customer, ConversationId: conversation, InboxId: e.GetInboxId(), Channel: e.GetChannel(),
			Subject: ev.GetConversation().GetSubject(),
		}
	case "reopened", "woken":
		return &eventv1.ConversationReopened{CustomerId: customer, ConversationId: conversation, Actor: actor}
	case "closed":
		return &eventv1.ConversationClosed{CustomerId: customer, ConversationId: conversation, Actor: actor}
	case "snoozed":
		return &eventv1.ConversationSnoozed{CustomerId: customer, ConversationId: conversation, Actor: actor, Until: a.GetUntil()}
	case "pending":
		return &eventv1.ConversationPended{CustomerId: customer, ConversationId: conversation, Actor: actor}
	case "assigned":
		return &eventv1.ConversationAssigned{CustomerId: customer, ConversationId: conversation, Actor: actor, Assignee: value}
	case "priority":
		return &eventv1.ConversationPrioritised{CustomerId: customer, ConversationId: conversation, Actor: actor, Priority: value}
	case "tagged":
		return &eventv1.ConversationTagged{CustomerId: customer, ConversationId: conversation, Actor: actor, Tag: value}
	case "untagged":
		return &eventv1.ConversationUntagged{CustomerId: customer, ConversationId: conversation, Actor: actor, Tag: value}
	}
	return nil
}
