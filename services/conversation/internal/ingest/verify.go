package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// verifyLimit is how long an input waits for its channel's verifier. Verifiers
// end sooner by themselves; this is for one that does not.
const verifyLimit = 8 * time.Second

const flagUnverified = "unverified"

// verify asks the channel what the senders of parsed items are worth. An error
// says that the hub is stopping; whatever else goes wrong makes the items claims.
func (h *Handler) verify(ctx context.Context, raw channel.Raw, items []channel.Item) ([]channel.Item, error) {
	v, ok := h.verifier(raw.Channel)
	if !ok {
		return items, nil
	}
	vctx, cancel := context.WithTimeout(ctx, verifyLimit)
	defer cancel()
	type answer struct {
		items []channel.Item
		why   string
	}
	done := make(chan answer, 1)
	go func() { // left behind when it does not end in time; it changes nothing of ours
		defer func() {
			if r := recover(); r != nil {
				done <- answer{why: limit(fmt.Sprintf("not verified: verifier panicked: %v", r), 300)}
			}
		}()
		done <- answer{items: v.Verify(vctx, raw, items)}
	}()
	var got answer
	select {
	case got = <-done:
	case <-vctx.Done():
		got.why = "not verified: it took too long"
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verify input: %w", err) // its answer may be due to that
	}
	if got.why == "" && !sameItems(items, got.items) {
		got.why = "not verified: verifier gave other items"
	}
	if got.why != "" {
		h.Log.Warn("input could not be verified", "channel", raw.Channel, "inbox", raw.Inbox, "reason", got.why)
		return claims(items, got.why), nil
	}
	return got.items, nil
}

func (h *Handler) verifier(ch string) (channel.Verifier, bool) {
	p, ok := h.Parsers(ch)
	if !ok {
		return nil, false
	}
	v, ok := p.(channel.Verifier)
	return v, ok
}

// sameItems: a verifier returned what it was given, apart from what it may set.
func sameItems(given, got []channel.Item) bool {
	return slices.EqualFunc(given, got, func(a, b channel.Item) bool {
		switch {
		case a.Message != nil:
			return b.Message != nil && a.Message.ID == b.Message.ID && b.Receipt == nil && b.Change == nil
		case a.Change != nil:
			return b.Change != nil && a.Change.ID == b.Change.ID && a.Change.Target == b.Change.Target && b.Message == nil && b.Receipt == nil
		}
		return b.Receipt != nil && b.Message == nil && b.Change == nil
	})
}

// claims are items nobody looked at: they prove nothing.
func claims(items []channel.Item, why string) []channel.Item {
	out := slices.Clone(items)
	for i, item := range out {
		if item.Change != nil {
			c := *item.Change
			c.Assurance, c.Evidence = min(c.Assurance, 1), why
			out[i].Change = &c
		}
		if item.Message == nil {
			continue
		}
		m := *item.Message
		m.Assurance, m.Evidence, m.ClaimsHandle = min(m.Assurance, 1), why, nil
		if !slices.Contains(m.Flags, flagUnverified) {
			m.Flags = append(slices.Clone(m.Flags), flagUnverified)
		}
		out[i].Message = &m
	}
	return out
}

// first keeps the sender a message was stored with. A verifier that confirms
// today what it refuted before (or the other way round: keys are rotated) would
// otherwise put a message that comes again into a second stream. The other
// sender there can be is looked at, where a message of his can be stored; his
// inputs are in the same lane.
func (h *Handler) first(ctx context.Context, raw channel.Raw, m channel.Message, id string) (channel.Message, error) {
	if _, ok := h.verifier(raw.Channel); !ok {
		return m, nil
	}
	other := m.From
	switch other.Scope {
	case "":
		if h.Refuted != nil {
			if ever, err := h.Refuted.Ever(ctx, raw.Tenant, raw.Inbox); err != nil || !ever {
				return m, err
			}
		}
		other.Scope = channel.ScopeUnverified
	case channel.ScopeUnverified:
		if h.Refuted != nil {
			if err := h.Refuted.Note(ctx, raw.Tenant, raw.Inbox); err != nil {
				return m, err
			}
		}
		other.Scope = ""
	default:
		return m, nil
	}
	own, err := h.Claims.Load(ctx, raw.Tenant, other)
	if err != nil || !own.Owned() {
		return m, err
	}
	state, err := h.Customers.Load(ctx, raw.Tenant, own.Customer)
	if err != nil {
		return m, err
	}
	known := state.SeenMessage(id)
	if floor := state.Handle(handleid.Of(h.Keys, other)).Seen.Floor; !known && floor > 0 {
		// The state has forgotten what came before. Whoever has it, it is not new.
		if err := h.Timeline.WaitFor(ctx, h.Customers.Partition(raw.Tenant, own.Customer), floor); err != nil {
			return m, fmt.Errorf("wait for the timeline: %w", err)
		}
		if known, err = h.Timeline.Known(ctx, raw.Tenant, id); err != nil {
			return m, fmt.Errorf("look up entry: %w", err)
		}
	}
	if !known {
		return m, nil
	}
	m.From, m.Assurance = other, 0 // the answer of now raises nobody
	m.Answers, m.AnswersFromSame, m.References, m.ClaimsHandle = "", false, nil, nil
	return m, nil
}
