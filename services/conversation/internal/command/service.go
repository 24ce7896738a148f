// Package command is what agents, integrators and the hub itself can order:
// one method per order, each idempotent by its key.
package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/oneatatime"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Lookup answers from read models. It may lag; what it says is a hint or a
// fact that never changes.
type Lookup interface {
	// CustomerOf says in whose stream a conversation is stored.
	CustomerOf(ctx context.Context, tenant, conversation string) (customer string, ok bool, err error)
	// Message says where an inbound message came in.
	Message(ctx context.Context, tenant, message string) (Message, bool, error)
	// Reply says how an outbound message stands.
	Reply(ctx context.Context, tenant, reply string) (Reply, bool, error)
	// EventOf says in whose stream a business event is.
	EventOf(ctx context.Context, tenant, event string) (customer string, ok bool, err error)
}

// Message is where an inbound message came in.
type Message struct {
	Conversation string
	Handle       string
	Tenure       int64
	Channel      string
	Inbox        string
}

// Reply is an outbound message by a look-up.
type Reply struct {
	Conversation string
	Handle       string
	Tenure       int64
	customer.Course
}

// Deps are what a Service works with.
type Deps struct {
	Customers *aggregate.Repository[customer.State]
	Claims    *claim.Claimer
	Keys      crypt.Keyring
	Lookup    Lookup
	Timeline  aggregate.Timeline
	// Capabilities say what a channel can carry; nil, and where it does not know
	// the channel: only the hub's own limits hold.
	Capabilities func(name, inbox string) (channel.Capabilities, bool)
	// OptedOut says whether somebody of the customer's person, but himself, opted out
	// of an inbox, as far as it is projected; nil: nobody did.
	OptedOut func(ctx context.Context, customer, inbox string) (customer.Reach, string, bool, error)
	// Channel of a configured inbox.
	Channel func(inbox string) (name string, ok bool)
	// Numbers reads national telephone numbers as they are dialled where an inbox is; nil: they stay as they are.
	Numbers func(inbox string) handleid.Normaliser
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger
}

// Service takes orders. Safe for concurrent use.
//
// Errors callers branch on: *customer.FieldError (a value out of its limits),
// *customer.NotFoundError, *customer.ChangedError (look again, or force),
// *customer.TenureEndedError and *customer.RefusedError.
type Service struct {
	Deps
	settle    *settle.Settler
	recording oneatatime.Gate // business events, by id
}

// New makes a Service.
func New(d Deps) (*Service, error) {
	if d.Customers == nil || d.Claims == nil || d.Keys == nil || d.Lookup == nil || d.Timeline == nil || d.Channel == nil || d.Log == nil {
		return nil, errors.New("command: a dependency is missing")
	}
	if d.Capabilities == nil {
		d.Capabilities = func(string, string) (channel.Capabilities, bool) { return channel.Capabilities{}, false }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Service{Deps: d, settle: settle.New(d.Claims, d.Customers, d.Timeline, d.Keys)}, nil
}

// Order is what all orders have.
type Order struct {
	Tenant string // "" means the default tenant
	Actor  string // who orders: an agent's or token's id
	// Key makes the order idempotent: the same key of the same actor on the
	// same conversation is the same order. 1 to 200 characters. Replies, notes
	// and business events are remembered for ever, others while they are among the customer's
	// last 256 orders; an order that found nothing to change is not remembered.
	Key string
	// Conversation it is about, and (optional, saves a look-up) its customer.
	Conversation string
	Customer     string
	Trace        string // W3C traceparent
}

// Result of an order.
type Result struct {
	Tenant       string
	Customer     string
	Conversation string
	Entry        string // id of the reply or note
	// Commit and Events are what was stored. Repeated: by an earlier call with
	// the same key. A zero Commit: there was nothing to change.
	Commit   eventstore.Commit
	Events   []event.Event
	Repeated bool
}

// prepare checks an order and finds its customer.
func (s *Service) prepare(ctx context.Context, o Order) (Order, error) {
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	if err := length("idempotency_key", o.Key, 1, 200); err != nil {
		return o, err
	}
	if o.Customer != "" {
		return o, nil
	}
	if !subject.ValidToken(o.Conversation) {
		return o, &customer.NotFoundError{What: "conversation", ID: o.Conversation}
	}
	id, ok, err := s.Lookup.CustomerOf(ctx, o.Tenant, o.Conversation)
	if err != nil {
		return o, fmt.Errorf("look up conversation: %w", err)
	}
	if !ok {
		return o, &customer.NotFoundError{What: "conversation", ID: o.Conversation}
	}
	o.Customer = id
	return o, nil
}

// id derives a stable id from the order's key.
func (s *Service) id(kind string, o Order) string {
	about := o.Conversation
	if about == "" {
		about = o.Customer
	}
	return s.Keys.Hash("order/"+kind, o.Tenant, o.Actor, about, o.Key)
}

// step is one order made into a command.
type step struct {
	entry string
	cmd   func(recalledTo uint64) customer.Command
	fill  func(ctx context.Context, s customer.State, es []event.Event) error
	seen  time.Time
}

// run executes a step in the customer's stream. What is refused because a
// tenure has ended may be due to a move that nobody has settled yet, or to what
// is known here of the handle being old: then it is settled and tried once more.
func (s *Service) run(ctx context.Context, o Order, st step) (Result, error) {
	r, err := s.runOnce(ctx, o, st)
	ended, ok := errors.AsType[*customer.TenureEndedError](err)
	if !ok {
		return r, err
	}
	own, lerr := s.settle.Load(ctx, o.Tenant, ended.Handle)
	if lerr != nil {
		return Result{}, errors.Join(err, lerr)
	}
	if own.Customer != o.Customer {
		return Result{}, err
	}
	return s.runOnce(ctx, o, st)
}

func (s *Service) runOnce(ctx context.Context, o Order, st step) (Result, error) {
	id := st.cmd(0).CommitID()
	out, known, err := aggregate.Recall(ctx, s.Timeline, s.Customers, o.Tenant, o.Customer,
		func(recalledTo uint64) (aggregate.Outcome[customer.State], error) {
			cmd := st.cmd(recalledTo)
			return s.Customers.Execute(ctx, o.Tenant, o.Customer, aggregate.Turn[customer.State]{
				ID:     id,
				Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
				Fill:   st.fill, Actor: o.Actor, Trace: o.Trace, Seen: st.seen,
			})
		})
	if err != nil {
		return Result{}, err
	}
	r := Result{Tenant: o.Tenant, Customer: o.Customer, Conversation: o.Conversation, Entry: st.entry}
	switch {
	case out.Appended:
		r.Commit, r.Events = out.Commit, out.Events
	case known || out.State.Commands.Has(id):
		err = s.repeated(ctx, id, &r)
	}
	return r, err
}

// repeated reads back what the same order did before.
func (s *Service) repeated(ctx context.Context, commit string, r *Result) error {
	c, ok, err := s.Customers.Find(ctx, r.Tenant, r.Customer, commit)
	if err != nil || !ok {
		return err
	}
	r.Commit, r.Repeated = c, true
	r.Events, err = codec.Decode(c)
	return err
}
