package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/internal/crypt"
)

// stored says where a message is.
type stored struct {
	id       string
	handle   string // its sender's; "" where nothing is stored of it
	customer string
	state    customer.State
	appended bool // just now, not before
}

// MessageID is the id of a provider's message: a keyed hash, unique in the tenant.
func (h *Handler) MessageID(raw channel.Raw, m channel.Message) string {
	if slices.Contains(m.Flags, flagUnparsed) && m.ID == "" {
		return h.placeholderID(raw)
	}
	id := m.ID
	if id == "" {
		id = raw.ProviderID
	}
	return h.Keys.Hash("message", raw.Tenant, raw.Channel, raw.Inbox, id)
}

// attemptsAtTenure bounds how often a message follows its handle from owner to owner.
const attemptsAtTenure = 8

// message stores one message in the stream of the customer that owns its
// handle. files are kept as blobs, by their place among the attachments; nil:
// they stay where they are.
func (h *Handler) message(ctx context.Context, in Input, m channel.Message, files map[int][]byte) (stored, error) {
	raw := *in.Raw
	m.From = h.sender(raw, m.From)
	m.Answers = forward.Reply(m.Answers)
	if m.OccurredAt.IsZero() {
		m.OccurredAt = raw.ReceivedAt
	}
	if m.OccurredAt.IsZero() {
		m.OccurredAt = h.Now()
	}
	id := h.MessageID(raw, m)
	m, err := h.first(ctx, raw, m, id)
	if err != nil {
		return stored{}, err
	}
	whole := m.Content
	m = shrink(m)
	if files != nil {
		m.Content = keepCut(whole, m.Content, files)
	}
	fresh := false
	for range attemptsAtTenure {
		own, err := h.owner(ctx, in, m, id, fresh)
		if errors.Is(err, errReturned) {
			return stored{id: id}, h.forsake(ctx, in, id, whole)
		}
		if before, ok := errors.AsType[*knownError](err); ok {
			return before.stored, nil
		}
		if err != nil {
			return stored{}, err
		}
		if own.handle.Knows(id) {
			return stored{id: id}, h.forsake(ctx, in, id, whole) // an erased owner had it: it does not come back
		}
		kept := beforeErasure(m, own.handle.CutOff)
		old := slices.Contains(kept.Flags, FlagBeforeErasure)
		if old {
			files = nil
		}
		out, err := h.receive(ctx, in, kept, id, own, files)
		if errors.Is(err, errReturned) {
			return stored{id: id}, h.forsake(ctx, in, id, whole)
		}
		_, stale := errors.AsType[*customer.StaleTenureError](err)
		_, erased := errors.AsType[*customer.ErasedError](err)
		// A key is gone while the tenure is believed to go on: then it has been
		// moved to somebody who was erased, and what is known here is old.
		if stale || erased || errors.Is(err, crypt.ErrShredded) && !fresh {
			fresh = true
			continue
		}
		if err != nil {
			return stored{}, err
		}
		if old {
			if err := h.forsake(ctx, in, id, whole); err != nil {
				return stored{}, err
			}
		}
		done := stored{id: id, handle: own.handle.ID, customer: own.handle.Customer, state: out.State, appended: out.Appended}
		return done, h.assure(ctx, raw.Tenant, own, m.Assurance, done)
	}
	return stored{}, fmt.Errorf("handle of message %s changes its owner all the time", id)
}

// assure raises the handle's level by a message of its tenure. One that came
// before, and comes again after the handle was moved or released, proved
// something of another tenure: it says nothing of who has the address now.
func (h *Handler) assure(ctx context.Context, tenant string, own owner, level int, m stored) error {
	if level <= own.handle.Assurance {
		return nil
	}
	if !m.appended {
		of, before, _, err := h.settle.Stored(ctx, tenant, own.handle.ID, m.id)
		if err != nil || of != own.handle.Customer || before.Tenure != own.handle.Tenure {
			return err
		}
	}
	return h.Claims.Assure(ctx, tenant, own.handle, level, event.Evidence{Kind: kindOf(level), ID: m.id})
}

// limitThreadName bounds the name of a thread, in characters.
const limitThreadName = 500

// thread is the keyed hash of what the channel shows a message under.
func (h *Handler) thread(raw channel.Raw, m channel.Message) string {
	if m.Thread == "" {
		return ""
	}
	return h.Keys.Hash("thread", raw.Tenant, raw.Channel, raw.Inbox, m.Thread)
}

// receive appends the message to the owner's stream.
func (h *Handler) receive(
	ctx context.Context, in Input, m channel.Message, id string, own owner, files map[int][]byte,
) (aggregate.Outcome[customer.State], error) {
	raw := *in.Raw
	ref, err := h.reference(ctx, raw, m, own.handle.Customer)
	if err != nil {
		return aggregate.Outcome[customer.State]{}, err
	}
	cmd := customer.Receive{
		At: h.Now(), Message: id, Handle: own.handle.Attach(), Also: own.also,
		NewConversation: h.NewID(), Policy: h.Policy(raw.Inbox), Channel: raw.Channel, Inbox: raw.Inbox,
		OccurredAt: m.OccurredAt.UTC().Truncate(time.Microsecond), Assurance: m.Assurance, Evidence: kindOf(m.Assurance), Flags: m.Flags,
		Raw: in.Ref, Refs: h.hashes(raw, m.Refs), ClientID: limit(m.ClientID, 200), Proof: own.proof,
		ValidFrom: own.handle.ValidFrom, Reference: ref, Asserts: h.asserted(m),
		Consent: m.Consent, Thread: h.thread(raw, m),
	}
	if slices.Contains(m.Flags, FlagBeforeErasure) {
		cmd.Raw = "" // the original would show what was erased
	}
	known := &remembering{Timeline: h.Timeline, claims: h.Claims, handle: own.handle}
	out, _, err := aggregate.Recall(ctx, known, h.Customers, raw.Tenant, own.handle.Customer,
		func(recalledTo uint64) (aggregate.Outcome[customer.State], error) {
			cmd.RecalledTo = recalledTo
			return h.Customers.Execute(ctx, raw.Tenant, own.handle.Customer, aggregate.Turn[customer.State]{
				ID:     cmd.CommitID(),
				Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
				Fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
					return h.fill(ctx, m, own.handle.Customer, files, es)
				},
				Actor: "customer", Cause: in.Ref, Trace: in.Trace,
			})
		})
	if known.erased && err == nil {
		err = errReturned
	}
	return out, err
}
