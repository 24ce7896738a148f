// Package domaintest puts the real domain together over a store in memory: for
// tests of whatever stands on it.
package domaintest

import (
	"context"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// View stands in for the read models: a fold of the log in memory that is as far
// as it was advanced. Not safe for concurrent use.
type View struct {
	store     eventstore.Store
	applied   []uint64
	entries   map[string]bool
	refs      map[string][]ingest.Reference
	replies   map[string]ingest.Reply
	messages  map[string]command.Message
	customers map[string]string // by conversation
	topics    map[string]string
	events    map[string]string // customer by business event
	origins   map[string]origin // by message
}

// NewView has applied nothing yet.
func NewView(store eventstore.Store) *View {
	return &View{
		store: store, applied: make([]uint64, store.Partitions()), entries: map[string]bool{},
		refs: map[string][]ingest.Reference{}, replies: map[string]ingest.Reply{},
		messages: map[string]command.Message{}, customers: map[string]string{}, topics: map[string]string{},
		events: map[string]string{}, origins: map[string]origin{},
	}
}

// Advance applies up to n commits of a partition.
func (v *View) Advance(ctx context.Context, partition, n int) error {
	commits, err := v.store.Read(ctx, partition, v.applied[partition]+1, n)
	if err != nil {
		return err
	}
	for _, c := range commits {
		if err := v.apply(c); err != nil {
			return err
		}
		v.applied[partition] = c.Seq
	}
	return nil
}

// CatchUp applies all there is.
func (v *View) CatchUp(ctx context.Context) error {
	for p := range v.applied {
		if err := v.Advance(ctx, p, 1<<20); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) apply(c eventstore.Commit) error {
	events, err := codec.Decode(c)
	if err != nil {
		return err
	}
	_, owner, _ := strings.Cut(c.Stream, ".")
	for _, e := range events {
		switch e := e.(type) {
		case event.ConversationOpened:
			v.customers[e.Conversation], v.topics[e.Conversation] = owner, e.Topic
		case event.MessageReceived:
			v.entries[e.Message], v.origins[e.Message] = true, origin{e.Raw, e.Handle}
			v.messages[e.Message] = command.Message{
				Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure, Channel: e.Channel, Inbox: e.Inbox,
			}
			for _, ref := range e.Refs {
				v.refs[ref] = append(v.refs[ref], ingest.Reference{Customer: owner, Conversation: e.Conversation})
			}
		case event.MessageChanged:
			v.entries[e.Change] = true
		case event.NoteAdded:
			v.entries[e.Note] = true
		case event.EventRecorded:
			v.entries[e.Event], v.events[e.Event] = true, owner
		case event.ReplyRequested:
			v.entries[e.Reply] = true
			v.replies[e.Reply] = ingest.Reply{
				Customer: owner, Conversation: e.Conversation, Topic: v.topics[e.Conversation],
				Handle: e.Handle, Tenure: e.Tenure, Course: customer.Asked(),
			}
		case event.ReplyRetried:
			r := v.replies[e.Reply]
			r.Course = r.Retried(time.UnixMicro(c.RecordedAt.UnixMicro()))
			v.replies[e.Reply] = r
		case event.ReplyProgressed:
			r := v.replies[e.Reply]
			r.Course = r.Progressed(e.State, e.At)
			v.replies[e.Reply] = r
		}
	}
	return nil
}

// WaitFor implements aggregate.Timeline: it advances as far as is asked for.
func (v *View) WaitFor(ctx context.Context, partition int, seq uint64) error {
	for v.applied[partition] < seq {
		if err := v.Advance(ctx, partition, 1); err != nil {
			return err
		}
	}
	return nil
}

// Known implements aggregate.Timeline.
func (v *View) Known(_ context.Context, _, entry string) (bool, error) { return v.entries[entry], nil }

// Refs implements ingest.Refs.
func (v *View) Refs(_ context.Context, _, hash string) ([]ingest.Reference, error) {
	return v.refs[hash], nil
}

type origin struct{ ref, handle string }

// Origin implements ingest.Origins.
func (v *View) Origin(_ context.Context, _, message string) (ref, handle string, err error) {
	o := v.origins[message]
	return o.ref, o.handle, nil
}

// Reply implements ingest.Replies.
func (v *View) Reply(_ context.Context, _, id string) (ingest.Reply, bool, error) {
	r, ok := v.replies[id]
	return r, ok, nil
}

// Lookup is the view as commands see it.
type Lookup struct{ *View }

// CustomerOf implements command.Lookup.
func (l Lookup) CustomerOf(_ context.Context, _, conversation string) (string, bool, error) {
	id, ok := l.customers[conversation]
	return id, ok, nil
}

// Message implements command.Lookup.
func (l Lookup) Message(_ context.Context, _, id string) (command.Message, bool, error) {
	m, ok := l.messages[id]
	return m, ok, nil
}

// Reply implements command.Lookup.
func (l Lookup) Reply(_ context.Context, _, id string) (command.Reply, bool, error) {
	r, ok := l.replies[id]
	return command.Reply{Conversation: r.Conversation, Handle: r.Handle, Tenure: r.Tenure, Course: r.Course}, ok, nil
}

// EventOf implements command.Lookup.
func (l Lookup) EventOf(_ context.Context, _, id string) (string, bool, error) {
	c, ok := l.events[id]
	return c, ok, nil
}
