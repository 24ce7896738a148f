package ingest

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// limitReferences bounds the look-ups of one message; the newest count.
const limitReferences = 20

// reference finds what a message provably answers. References alone prove
// nothing: they count when the conversation is the sender's own. A token of
// ours from another address makes a third party's conversation of the same
// topic; a stranger who quotes a Message-ID has nothing.
func (h *Handler) reference(ctx context.Context, raw channel.Raw, m channel.Message, own string) (customer.Reference, error) {
	out := customer.Reference{Hashes: h.hashes(raw, m.References), Reply: m.Answers}
	if m.Answers != "" {
		r, ok, err := h.Replies.Reply(ctx, raw.Tenant, m.Answers)
		if err != nil {
			return out, fmt.Errorf("look up the answered reply: %w", err)
		}
		if ok && r.Customer == own {
			out.Conversation = r.Conversation
			return out, nil
		}
		if ok {
			whose, err := h.answered(ctx, raw.Tenant, r)
			if err != nil {
				return out, err
			}
			out.Own = whose == own
			out.Topic = r.Topic
			if out.Topic == "" {
				out.Topic = r.Conversation
			}
			return out, nil
		}
	}
	for _, hash := range out.Hashes {
		found, err := h.Refs.Refs(ctx, raw.Tenant, hash)
		if err != nil {
			return out, fmt.Errorf("look up references: %w", err)
		}
		for _, r := range found {
			if r.Customer == own {
				out.Conversation = r.Conversation
				return out, nil
			}
			if len(out.Carried) < limitReferences {
				out.Carried = append(out.Carried, r.Conversation)
			}
		}
	}
	return out, nil
}

// hashes are the keyed hashes under which ids of a channel are kept.
func (h *Handler) hashes(raw channel.Raw, ids []string) []string {
	var out []string
	for _, id := range ids[:min(len(ids), limitReferences)] {
		if id != "" {
			out = append(out, h.Keys.Hash("ref", raw.Tenant, raw.Channel, id))
		}
	}
	return out
}
