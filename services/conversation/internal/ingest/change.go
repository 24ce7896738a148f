package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/crypt"
)

// actions are those a change can have.
var actions = []channel.Action{channel.Edited, channel.Deleted, channel.Reacted, channel.Unreacted}

// said is a change as the message it would be: what fetches, masks and cuts
// messages does the same to it.
func said(c *channel.Change) *channel.Message {
	m := &channel.Message{
		ID: "change\x00" + c.ID, From: c.From, OccurredAt: c.OccurredAt, Assurance: c.Assurance, Evidence: c.Evidence,
	}
	if c.Action == channel.Edited {
		m.Content = c.Content
	}
	return m
}

// limitEmoji is the longest emoji or short name, in characters.
const limitEmoji = 64

// change stores what somebody did to a message, in the stream of the customer
// that owns his handle. Its message is not looked for: it may come later.
func (h *Handler) change(ctx context.Context, in Input, c channel.Change, m channel.Message, files map[int][]byte) (stored, error) {
	raw := *in.Raw
	m.From = h.sender(raw, m.From)
	for _, at := range []time.Time{raw.ReceivedAt, h.Now()} {
		if m.OccurredAt.IsZero() {
			m.OccurredAt = at
		}
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
		own, before, err := h.changer(ctx, in, m, id, fresh)
		if errors.Is(err, errReturned) {
			return stored{id: id}, h.forsake(ctx, in, id, whole)
		}
		if err != nil {
			return stored{id: id}, err
		}
		if before != nil {
			return *before, nil
		}
		if own.Knows(id) {
			return stored{id: id}, h.forsake(ctx, in, id, whole)
		}
		kept := beforeErasure(m, own.CutOff)
		old := slices.Contains(kept.Flags, FlagBeforeErasure)
		if old {
			files, c.Emoji = nil, ""
		}
		out, err := h.appendChange(ctx, in, c, kept, id, own, files)
		if errors.Is(err, errReturned) {
			return stored{id: id}, h.forsake(ctx, in, id, whole)
		}
		_, stale := errors.AsType[*customer.StaleTenureError](err)
		_, erased := errors.AsType[*customer.ErasedError](err)
		if stale || erased || errors.Is(err, crypt.ErrShredded) && !fresh {
			fresh = true
			continue
		}
		if err == nil && old {
			err = h.forsake(ctx, in, id, whole)
		}
		return stored{id: id, handle: own.ID, customer: own.Customer, state: out.State, appended: out.Appended}, err
	}
	return stored{}, fmt.Errorf("handle of change %s changes its owner all the time", id)
}

func (h *Handler) appendChange(
	ctx context.Context, in Input, c channel.Change, m channel.Message, id string, own claim.Owned, files map[int][]byte,
) (aggregate.Outcome[customer.State], error) {
	raw := *in.Raw
	cmd := customer.Change{
		Change: id, Target: h.hashes(raw, []string{c.Target})[0], Action: c.Action, Handle: own.Attach(),
		Channel: raw.Channel, Inbox: raw.Inbox, OccurredAt: m.OccurredAt.UTC().Truncate(time.Microsecond),
		Assurance: m.Assurance, Flags: m.Flags, Raw: in.Ref, Forget: h.Forgets(raw.Inbox),
	}
	if slices.Contains(m.Flags, FlagBeforeErasure) {
		cmd.Raw = ""
	}
	known := &remembering{Timeline: h.Timeline, claims: h.Claims, handle: own}
	out, _, err := aggregate.Recall(ctx, known, h.Customers, raw.Tenant, own.Customer,
		func(recalledTo uint64) (aggregate.Outcome[customer.State], error) {
			cmd.RecalledTo = recalledTo
			return h.Customers.Execute(ctx, raw.Tenant, own.Customer, aggregate.Turn[customer.State]{
				ID:     cmd.CommitID(),
				Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
				Fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
					return h.fillChange(ctx, c, m, files, es)
				},
				Actor: "customer", Cause: in.Ref, Trace: in.Trace,
			})
		})
	if known.erased && err == nil {
		err = errReturned
	}
	return out, err
}

// changer finds, or claims, the handle of whoever did it. before: a former owner
// of a handle that is nobody's now has the change; errReturned: an erased one had.
func (h *Handler) changer(ctx context.Context, in Input, m channel.Message, id string, fresh bool) (own claim.Owned, before *stored, err error) {
	own, err = h.settle.Claim(ctx, claim.Request{
		Tenant: in.Raw.Tenant, Address: m.From, Assurance: m.Assurance, Evidence: event.Evidence{Kind: "new", ID: id},
		Actor: "system", Cause: in.Ref, Trace: in.Trace, Fresh: fresh,
		Unless: func(ctx context.Context, own claim.Owned) error {
			was, known, err := h.known(ctx, in.Raw.Tenant, own, id)
			if known {
				err = &knownError{was}
			}
			return err
		},
	})
	if known, ok := errors.AsType[*knownError](err); ok {
		return own, &known.stored, nil
	}
	return own, nil, err
}

// fillChange seals what the change says under the key of its own unit.
func (h *Handler) fillChange(ctx context.Context, c channel.Change, m channel.Message, files map[int][]byte, es []event.Event) error {
	last := len(es) - 1
	changed := es[last].(event.MessageChanged) // Change always ends with it
	if err := h.Keys.Ensure(ctx, changed.Unit); err != nil {
		return fmt.Errorf("key of a change: %w", err)
	}
	var err error
	if m.Content.Attachments, err = h.keepFiles(ctx, changed.Unit, m.Content.Attachments, files); err != nil {
		return err
	}
	body := event.ChangeBody{
		Content: m.Content, Emoji: limit(c.Emoji, limitEmoji), From: m.From.Address, FromName: m.From.Name, Evidence: limit(m.Evidence, 500),
	}
	changed.Body, err = seal.JSON(ctx, h.Keys, changed.Unit, body, event.ChangeAAD(changed.Change))
	es[last] = changed
	return err
}
