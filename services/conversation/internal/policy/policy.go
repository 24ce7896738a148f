// Package policy reacts to what happened: a requested reply goes to the outbox,
// a snooze to the timers. It follows the log with a checkpoint, at least once;
// what it does is idempotent.
//
//	ReplyRequested, ReplyRetried ─► Outbox.Publish   (not if the channel has spoken of that attempt, never if imported)
//	ConversationSnoozed          ─► Timers.Schedule ┄┄► Fired ─► Wake
//	HandleMoved                  ─► Settler.SettleHandle (if whoever moved it could not end it)
package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/position"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// Outbox takes what must be sent. Publishing the same ID and Attempt again is harmless.
type Outbox interface {
	// Publish is durable when it returns. dataKey names the key to seal it under.
	Publish(ctx context.Context, dataKey string, out channel.Outbound) error
}

// Timers go off once, at their time or soon after it, hub restarts in between
// or not. Setting one again replaces it.
type Timers interface {
	Schedule(ctx context.Context, tenant, kind, id string, at time.Time, payload []byte) error
}

// Waker ends snoozes.
type Waker interface {
	Wake(ctx context.Context, tenant, customer, conversation string, until time.Time) error
}

// Settler finishes what a move of a handle began.
type Settler interface {
	SettleHandle(ctx context.Context, tenant, handle string) error
}

// KindWake is the kind of the timers of snoozes; their id is the conversation.
const KindWake = "wake"

// Deps are what a Policy works with.
type Deps struct {
	Customers *aggregate.Repository[customer.State]
	Keys      crypt.Keyring
	Outbox    Outbox
	Timers    Timers
	Waker     Waker
	Settler   Settler        // nil: moves are left to whoever comes by
	State     docstore.Store // keeps the checkpoints
	Log       *slog.Logger
}

// Policy is a projection.Sink.
type Policy struct {
	Deps
	unsaved *position.Lazy
}

// New makes a Policy.
func New(d Deps) (*Policy, error) {
	if d.Customers == nil || d.Keys == nil || d.Outbox == nil || d.Timers == nil || d.Waker == nil || d.State == nil || d.Log == nil {
		return nil, errors.New("policy: a dependency is missing")
	}
	p := &Policy{Deps: d}
	p.unsaved = &position.Lazy{Store: d.State, Name: p.Name(), Whose: "policy", Log: d.Log}
	return p, nil
}

// Name of the sink and of its checkpoint.
func (p *Policy) Name() string { return "policy" }

// Checkpoint is the last sequence whose reactions are done.
func (p *Policy) Checkpoint(ctx context.Context, partition int) (uint64, error) {
	return p.State.Checkpoint(ctx, p.Name(), partition)
}

// Run saves positions until ctx ends, and then once more.
func (p *Policy) Run(ctx context.Context) error { return p.unsaved.Run(ctx) }

// Apply reacts to commits of a partition, in order. After commits that call for
// nothing the checkpoint is left to Run.
func (p *Policy) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	reacted := false
	for _, c := range commits {
		reacted = reacted || interesting(c)
		if err := p.react(ctx, c); err != nil {
			return fmt.Errorf("react to commit %d of partition %d: %w", c.Seq, partition, err)
		}
	}
	last := commits[len(commits)-1].Seq
	if !reacted {
		p.unsaved.Put(partition, last)
		return nil
	}
	return p.State.Apply(ctx, docstore.Batch{
		Checkpoints: []docstore.Checkpoint{{Name: p.Name(), Partition: partition, Seq: last}},
	})
}

func (p *Policy) react(ctx context.Context, c eventstore.Commit) error {
	if !interesting(c) {
		return nil
	}
	if h, ok := strings.CutPrefix(c.Stream, "handle."); ok {
		if p.Settler == nil {
			return nil
		}
		return p.Settler.SettleHandle(ctx, c.Tenant, h)
	}
	id, ok := strings.CutPrefix(c.Stream, "customer.")
	if !ok {
		return nil
	}
	ctx = telemetry.WithTraceparent(ctx, c.Trace)
	events, err := codec.Decode(c)
	if err != nil {
		return err
	}
	for i, e := range events {
		switch e := e.(type) {
		case event.ReplyRequested:
			err = p.send(ctx, c, id, e, event.Position(c.RecordedAt, c.Seq, i), 1, false)
		case event.ReplyRetried:
			err = p.again(ctx, c, id, e)
		case event.ConversationSnoozed:
			err = p.snooze(ctx, c, id, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// interesting looks at the names only: most commits need no decoding here.
func interesting(c eventstore.Commit) bool {
	for _, r := range c.Records {
		switch r.Type {
		case "conversation.reply_requested", "conversation.reply_retried", "conversation.snoozed", "handle.moved":
			return true
		}
	}
	return false
}

// wake is the payload of a snooze's timer: ids only.
type wake struct {
	Customer     string    `json:"customer"`
	Conversation string    `json:"conversation"`
	Until        time.Time `json:"until"`
}

func (p *Policy) snooze(ctx context.Context, c eventstore.Commit, id string, e event.ConversationSnoozed) error {
	payload, err := json.Marshal(wake{Customer: id, Conversation: e.Conversation, Until: e.Until})
	if err != nil {
		return err
	}
	return p.Timers.Schedule(ctx, c.Tenant, KindWake, e.Conversation, e.Until, payload)
}

// Fired handles a timer of KindWake that went off. Call it again on an error.
func (p *Policy) Fired(ctx context.Context, tenant string, payload []byte) error {
	var w wake
	if err := json.Unmarshal(payload, &w); err != nil {
		p.Log.Error("timer payload not readable", "error", err)
		return nil // it never will be
	}
	err := p.Waker.Wake(ctx, tenant, w.Customer, w.Conversation, w.Until)
	_, gone := errors.AsType[*customer.NotFoundError](err)
	_, erased := errors.AsType[*customer.ErasedError](err)
	if gone || erased {
		return nil
	}
	return err
}
