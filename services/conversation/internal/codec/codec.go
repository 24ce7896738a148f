// Package codec names the stored events and turns them into records and back.
//
// Names and versions are for ever. A changed event gets a new version here, an
// upcaster from the old one, and a golden file beside the old one's
// (testdata/events/<name>.v<version>.json), which is never touched again.
package codec

import (
	"fmt"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// events is the one registry; complete before the first use, then read only.
var events = registry()

func registry() *eventstore.Codec[event.Event] {
	c := eventstore.NewCodec[event.Event](upcasters())
	c.Register("handle.claimed", 2, event.HandleClaimed{})
	c.Register("handle.moved", 2, event.HandleMoved{})
	c.Register("handle.released", 2, event.HandleReleased{})
	c.Register("handle.remembered", 1, event.HandleRemembered{})
	c.Register("handle.assured", 1, event.HandleAssured{})
	c.Register("customer.created", 1, event.CustomerCreated{})
	c.Register("customer.handle_attached", 3, event.HandleAttached{})
	c.Register("customer.handle_detached", 1, event.HandleDetached{})
	c.Register("customer.attribute_set", 1, event.AttributeSet{})
	c.Register("customer.consent_set", 1, event.ConsentSet{})
	c.Register("conversation.opened", 2, event.ConversationOpened{})
	c.Register("conversation.message_received", 2, event.MessageReceived{})
	c.Register("conversation.message_reread", 1, event.MessageReread{})
	c.Register("conversation.message_changed", 1, event.MessageChanged{})
	c.Register("conversation.reopened", 1, event.ConversationReopened{})
	c.Register("conversation.closed", 1, event.ConversationClosed{})
	c.Register("conversation.pended", 1, event.ConversationPended{})
	c.Register("conversation.snoozed", 1, event.ConversationSnoozed{})
	c.Register("conversation.woken", 1, event.ConversationWoken{})
	c.Register("conversation.assigned", 1, event.ConversationAssigned{})
	c.Register("conversation.prioritised", 1, event.ConversationPrioritised{})
	c.Register("conversation.tagged", 1, event.ConversationTagged{})
	c.Register("conversation.untagged", 1, event.ConversationUntagged{})
	c.Register("conversation.note_added", 1, event.NoteAdded{})
	c.Register("conversation.reply_requested", 3, event.ReplyRequested{})
	c.Register("conversation.reply_retried", 1, event.ReplyRetried{})
	c.Register("conversation.reply_progressed", 1, event.ReplyProgressed{})
	c.Register("handle.qualified", 1, event.HandleQualified{})
	c.Register("customer.handle_asserted", 1, event.HandleAsserted{})
	c.Register("customer.event_recorded", 1, event.EventRecorded{})
	c.Register("customer.erased", 1, event.CustomerErased{})
	c.Register("customer.erasure_done", 2, event.ErasureDone{})
	c.Register("customer.hold_placed", 1, event.HoldPlaced{})
	c.Register("customer.hold_lifted", 1, event.HoldLifted{})
	c.Register("conversation.carried", 1, event.ConversationCarried{})
	c.Register("conversation.messages_moved", 1, event.MessagesMoved{})
	c.Register("conversation.attributed", 1, event.ConversationAttributed{})
	c.Register("conversation.retired", 1, event.ConversationRetired{})
	c.Register("link.suggested", 1, event.LinkSuggested{})
	c.Register("link.refused", 1, event.LinkRefused{})
	c.Register("link.linked", 1, event.Linked{})
	c.Register("link.unlinked", 1, event.Unlinked{})
	c.Register("join.joined", 2, event.ConversationsJoined{})
	c.Register("join.unjoined", 2, event.ConversationsUnjoined{})
	return c
}

// upcasters lead from old versions to the newest.
func upcasters() *eventstore.Upcasters {
	u := &eventstore.Upcasters{}
	// Version 2 of these has one optional field more; its absence means what version 1 meant.
	for _, typ := range []string{
		"handle.claimed", "handle.moved", "handle.released", "customer.handle_attached",
		"conversation.message_received", "conversation.reply_requested",
		"join.joined", "join.unjoined",
		"customer.erasure_done", "conversation.opened",
	} {
		u.Add(typ, 1, eventstore.Rename(typ, 2))
	}
	// So has version 3.
	u.Add("conversation.reply_requested", 2, eventstore.Rename("conversation.reply_requested", 3))
	u.Add("customer.handle_attached", 2, eventstore.Rename("customer.handle_attached", 3)) // so of version 3
	return u
}

// Kinds are the names and versions that are written now, sorted by name.
func Kinds() []eventstore.Kind { return events.Kinds() }

// KindOf is the name and version an event is stored under.
func KindOf(e event.Event) (eventstore.Kind, bool) { return events.KindOf(e) }

// Encode turns events into records of their newest versions.
func Encode(es []event.Event) ([]eventstore.Record, error) { return events.Encode(es...) }

// Decode turns the records of a commit into events, in order. A record of a
// newer program is an *eventstore.UnknownEventError. Safe for concurrent use.
func Decode(c eventstore.Commit) ([]event.Event, error) {
	es, err := events.Decode(c.Records)
	if err != nil {
		return nil, fmt.Errorf("commit %s at %d of %s: %w", c.ID, c.Seq, c.Stream, err)
	}
	return es, nil
}

// Commit decodes a commit into what aggregates fold.
func Commit(c eventstore.Commit) (event.Commit, error) {
	es, err := Decode(c)
	if err != nil {
		return event.Commit{}, err
	}
	return event.Commit{ID: c.ID, Stream: c.Stream, Seq: c.Seq, At: c.RecordedAt, Actor: c.Actor, Events: es}, nil
}
