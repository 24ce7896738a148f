package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// order begins every mutation.
func (s *Server) order(ctx context.Context, conversation, key string) (command.Order, error) {
	who, _ := actor.From(ctx) // the guard has seen it
	if conversation == "" {
		return command.Order{}, field("conversation_id", "is required")
	}
	return command.Order{Tenant: s.Tenant, Actor: who.ID, Key: keyOrNew(key), Conversation: conversation, Trace: telemetry.Traceparent(ctx)}, nil
}

// keyOrNew: a caller who gives no key asks for no protection against his own repeats.
func keyOrNew(key string) string {
	if key == "" {
		return rand.Text()
	}
	return key
}

// SendReply answers a message by its own channel and address.
func (s *Server) SendReply(ctx context.Context, q *inboxv1.SendReplyRequest) (*inboxv1.SendReplyResponse, error) {
	o, err := s.order(ctx, q.GetConversationId(), q.GetIdempotencyKey())
	if err != nil {
		return nil, err
	}
	if q.GetLastSeen() < 0 {
		return nil, field("last_seen", "must not be negative")
	}
	files, err := s.attachments(ctx, q.GetAttachments())
	if err != nil {
		return nil, err
	}
	who, _ := actor.From(ctx)
	r, err := s.Commands.SendReply(ctx, command.SendReply{
		Order: o, Text: q.GetText(), HTML: q.GetHtml(), Attachments: files, Answers: q.GetAnswers(),
		LastSeen: q.GetLastSeen(), Force: q.GetForce(), Close: q.GetClose(), AuthorName: who.Name,
		ToRefuted: q.GetToRefuted(), Template: templateOf(q.GetTemplate()),
	})
	if e, ok := errors.AsType[*customer.ChangedError](err); ok {
		return nil, s.changed(ctx, q, e)
	}
	if e, ok := errors.AsType[*customer.RefutedError](err); ok {
		return nil, s.refuted(ctx, e)
	}
	if err := s.insisted(ctx, q, r, err); err != nil {
		return nil, err
	}
	entry, err := s.entry(ctx, r)
	return &inboxv1.SendReplyResponse{Entry: entry}, err
}

// changed adds what was said since the author looked, as far as it is projected in time.
func (s *Server) changed(ctx context.Context, q *inboxv1.SendReplyRequest, e *customer.ChangedError) error {
	out := &changed{ChangedError: e}
	row, err := s.Reader.Row(ctx, q.GetConversationId())
	if err != nil {
		return out
	}
	p := s.Events.PartitionOf(s.tenant(), "customer."+row.Customer)
	if head, err := s.Events.Head(ctx, p); err == nil {
		s.settle(ctx, p, head)
	}
	if out.newer, err = s.Reader.Newer(ctx, q.GetConversationId(), q.GetLastSeen(), e.Version); err != nil {
		s.Log.WarnContext(ctx, "newer entries not readable", "err", err)
	}
	return out
}

// refuted adds the address the answer would have gone to.
func (s *Server) refuted(ctx context.Context, e *customer.RefutedError) error {
	out := &refuted{RefutedError: e}
	var err error
	if out.handle, err = s.Reader.Handle(ctx, e.Handle); err != nil {
		s.Log.WarnContext(ctx, "address of a refuted sender not readable", "err", err)
	}
	return out
}

// insisted puts it on record that somebody answered a refuted sender, or tried
// to: replies are otherwise events with their author, and no entries.
func (s *Server) insisted(ctx context.Context, q *inboxv1.SendReplyRequest, r command.Result, err error) error {
	if !q.GetToRefuted() {
		return err
	}
	e := audit.Entry{Action: audit.ReplyToRefuted, Customer: r.Customer, Conversation: audit.ID(q.GetConversationId()), Object: r.Entry}
	if err == nil {
		sent, ok := r.Events[0].(event.ReplyRequested)
		if !ok || !sent.ToRefuted {
			return nil // nobody refutes this one
		}
		e.IDs = map[string]string{"answers": sent.Answers, "handle": sent.Handle}
	}
	return s.Did(ctx, e, err)
}

// StartConversation writes first.
func (s *Server) StartConversation(ctx context.Context, q *inboxv1.StartConversationRequest) (*inboxv1.StartConversationResponse, error) {
	who, _ := actor.From(ctx)
	switch {
	case q.GetInboxId() == "":
		return nil, field("inbox_id", "is required")
	case q.GetHandleId() != "" && q.GetAddress() != "":
		return nil, field("address", "excludes handle_id")
	case q.GetHandleId() != "" && q.GetCustomerId() == "":
		return nil, field("customer_id", "is required with handle_id")
	case q.GetHandleId() == "" && q.GetAddress() == "":
		return nil, field("address", "or customer_id and handle_id are required")
	}
	r, err := s.Commands.StartConversation(ctx, command.StartConversation{
		Order:  command.Order{Tenant: s.Tenant, Actor: who.ID, Key: keyOrNew(q.GetIdempotencyKey()), Customer: q.GetCustomerId(), Trace: telemetry.Traceparent(ctx)},
		Handle: q.GetHandleId(), Kind: q.GetKind(), Address: q.GetAddress(), Inbox: q.GetInboxId(),
		Subject: q.GetSubject(), Text: q.GetText(), AuthorName: who.Name, Template: templateOf(q.GetTemplate()),
	})
	if err != nil {
		return nil, err
	}
	entry, err := s.entry(ctx, r)
	if err != nil {
		return nil, err
	}
	return &inboxv1.StartConversationResponse{
		ConversationId: entry.GetConversationId(), CustomerId: entry.GetCustomerId(), Entry: entry,
	}, nil
}

func templateOf(t *inboxv1.Template) *channel.Template {
	if t == nil {
		return nil
	}
	return &channel.Template{Name: t.GetName(), Language: t.GetLanguage(), Values: t.GetValues()}
}

// SetConsent records what a customer said by another way than a message.
func (s *Server) SetConsent(ctx context.Context, q *inboxv1.SetConsentRequest) (*inboxv1.SetConsentResponse, error) {
	for name, v := range map[string]string{"customer_id": q.GetCustomerId(), "handle_id": q.GetHandleId(), "inbox_id": q.GetInboxId()} {
		if !subject.ValidToken(v) {
			return nil, field(name, "is required")
		}
	}
	who, _ := actor.From(ctx)
	r, err := s.Commands.SetConsent(ctx,
		command.Order{Tenant: s.Tenant, Actor: who.ID, Key: keyOrNew(q.GetIdempotencyKey()), Customer: q.GetCustomerId(), Trace: telemetry.Traceparent(ctx)},
		q.GetHandleId(), q.GetInboxId(), channel.ConsentWish(q.GetWish()), q.GetReason())
	err = s.Did(ctx, audit.Entry{
		Action: audit.ConsentSet, Customer: q.GetCustomerId(), Object: audit.ID(q.GetHandleId()), IDs: map[string]string{"inbox": q.GetInboxId(), "wish": audit.ID(q.GetWish())},
	}, err)
	if err != nil {
		return nil, err
	}
	s.settle(ctx, r.Commit.Partition, r.Commit.Seq)
	return &inboxv1.SetConsentResponse{}, nil
}

// AddNote stores internal text.
func (s *Server) AddNote(ctx context.Context, q *inboxv1.AddNoteRequest) (*inboxv1.AddNoteResponse, error) {
	o, err := s.order(ctx, q.GetConversationId(), q.GetIdempotencyKey())
	if err != nil {
		return nil, err
	}
	r, err := s.Commands.AddNote(ctx, o, q.GetText())
	if err != nil {
		return nil, err
	}
	entry, err := s.entry(ctx, r)
	return &inboxv1.AddNoteResponse{Entry: entry}, err
}

// change runs an order whose answer is empty.
func (s *Server) change(ctx context.Context, conversation, key string, do func(command.Order) (command.Result, error)) error {
	o, err := s.order(ctx, conversation, key)
	if err != nil {
		return err
	}
	r, err := do(o)
	if err != nil {
		return err
	}
	s.settle(ctx, r.Commit.Partition, r.Commit.Seq)
	return nil
}

// RetryReply sends once more.
func (s *Server) RetryReply(ctx context.Context, q *inboxv1.RetryReplyRequest) (*inboxv1.RetryReplyResponse, error) {
	if q.GetEntryId() == "" {
		return nil, field("entry_id", "is required")
	}
	return &inboxv1.RetryReplyResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.RetryReply(ctx, o, q.GetEntryId())
	})
}

// Assign gives a conversation to somebody or nobody.
func (s *Server) Assign(ctx context.Context, q *inboxv1.AssignRequest) (*inboxv1.AssignResponse, error) {
	if id := q.GetAssignee(); id != "" && s.Agent != nil {
		ok, err := s.Agent(ctx, id)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, field("assignee", "is not the id of an agent who may log in")
		}
	}
	return &inboxv1.AssignResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.Assign(ctx, o, q.GetAssignee())
	})
}

// SetStatus opens, pends, snoozes or closes.
func (s *Server) SetStatus(ctx context.Context, q *inboxv1.SetStatusRequest) (*inboxv1.SetStatusResponse, error) {
	name, err := statusName(q.GetStatus())
	if err != nil {
		return nil, err
	}
	var until time.Time
	if t := q.GetSnoozedUntil(); t != nil {
		if err := t.CheckValid(); err != nil {
			return nil, field("snoozed_until", "is not a valid time")
		}
		until = t.AsTime()
	}
	return &inboxv1.SetStatusResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.SetStatus(ctx, o, customer.Status(name), until)
	})
}

// SetPriority orders the queue.
func (s *Server) SetPriority(ctx context.Context, q *inboxv1.SetPriorityRequest) (*inboxv1.SetPriorityResponse, error) {
	name := view.PriorityName(q.GetPriority())
	if _, known := inboxv1.Priority_name[int32(q.GetPriority())]; !known || name == "" {
		return nil, field("priority", "must be low, normal, high or urgent")
	}
	return &inboxv1.SetPriorityResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.SetPriority(ctx, o, name)
	})
}

// AddTag puts a tag on.
func (s *Server) AddTag(ctx context.Context, q *inboxv1.AddTagRequest) (*inboxv1.AddTagResponse, error) {
	return &inboxv1.AddTagResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.AddTag(ctx, o, q.GetTag())
	})
}

// RemoveTag takes a tag off.
func (s *Server) RemoveTag(ctx context.Context, q *inboxv1.RemoveTagRequest) (*inboxv1.RemoveTagResponse, error) {
	return &inboxv1.RemoveTagResponse{}, s.change(ctx, q.GetConversationId(), q.GetIdempotencyKey(), func(o command.Order) (command.Result, error) {
		return s.Commands.RemoveTag(ctx, o, q.GetTag())
	})
}

// SetAttribute sets or removes an attribute of a customer.
func (s *Server) SetAttribute(ctx context.Context, q *inboxv1.SetAttributeRequest) (*inboxv1.SetAttributeResponse, error) {
	if !subject.ValidToken(q.GetCustomerId()) {
		return nil, field("customer_id", "is required")
	}
	who, _ := actor.From(ctx)
	r, err := s.Commands.SetAttribute(ctx,
		command.Order{Tenant: s.Tenant, Actor: who.ID, Key: keyOrNew(q.GetIdempotencyKey()), Customer: q.GetCustomerId(), Trace: telemetry.Traceparent(ctx)},
		q.GetName(), q.GetValue())
	if err != nil {
		return nil, err
	}
	s.settle(ctx, r.Commit.Partition, r.Commit.Seq)
	return &inboxv1.SetAttributeResponse{}, nil
}

// settle waits a little until reads show a commit, so that the caller finds
// what it just did. Not waiting long enough is no failure: the commit is stored.
func (s *Server) settle(ctx context.Context, partition int, seq uint64) {
	if seq == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.Settle)
	defer cancel()
	if err := s.Reader.Live().WaitFor(ctx, partition, seq); err != nil {
		s.Log.DebugContext(ctx, "answered before it was projected", "err", err)
	}
}

// entry is the line an order made: as it stands now where it is projected, else as it was stored.
func (s *Server) entry(ctx context.Context, r command.Result) (*inboxv1.TimelineEntry, error) {
	s.settle(ctx, r.Commit.Partition, r.Commit.Seq)
	e, err := s.Reader.Entry(ctx, r.Entry)
	if errors.Is(err, query.ErrNotFound) {
		e, err = stored(r)
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.Reader.Entries(ctx, e)
	if err != nil {
		return nil, err
	}
	if len(shown) != 1 {
		return nil, query.ErrNotFound
	}
	return shown[0], nil
}

func stored(r command.Result) (*readmodel.Entry, error) {
	c := readmodel.Commit{Commit: r.Commit, Events: r.Events}
	for i, ev := range r.Events {
		if e, ok := readmodel.NewEntry(c.Place(i), ev); ok && e.ID == r.Entry {
			return &e, nil
		}
	}
	return nil, fmt.Errorf("commit of the order holds no entry: %w", query.ErrNotFound)
}

func (s *Server) tenant() string {
	if s.Tenant == "" {
		return subject.DefaultTenant
	}
	return s.Tenant
}
