package ingest

import (
	"context"
	"fmt"
	"slices"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// limitThread bounds the ids kept for threading a reply.
const limitThread = 30

// fill seals the body and the subject under the key of the decided unit.
func (h *Handler) fill(ctx context.Context, m channel.Message, owner string, files map[int][]byte, es []event.Event) error {
	last := len(es) - 1
	received := es[last].(event.MessageReceived) // Receive always ends with it
	if err := h.Keys.Ensure(ctx, received.Unit); err != nil {
		return fmt.Errorf("key of a unit: %w", err)
	}
	var err error
	if m.Content.Attachments, err = h.keepFiles(ctx, received.Unit, m.Content.Attachments, files); err != nil {
		return err
	}
	body := event.MessageBody{
		Content: m.Content, From: m.From.Address, FromName: m.From.Name, Evidence: limit(m.Evidence, 500),
		To: addresses(m.To), CC: addresses(m.CC), ThreadIDs: thread(m), Thread: limit(m.Thread, limitThreadName),
	}
	if received.Body, err = seal.JSON(ctx, h.Keys, received.Unit, body, event.MessageAAD(received.Message)); err != nil {
		return err
	}
	es[last] = received
	for i, e := range es {
		if asserted, ok := e.(event.HandleAsserted); ok {
			if es[i], err = h.fillAsserted(ctx, owner, *m.ClaimsHandle, asserted); err != nil {
				return err
			}
		}
		if opened, ok := e.(event.ConversationOpened); ok {
			if opened.Subject, err = seal.Text(ctx, h.Keys, received.Unit, limit(m.Content.Subject, 1000), event.SubjectAAD(opened.Conversation)); err != nil {
				return err
			}
			es[i] = opened
		}
	}
	return nil
}

// thread is what a reply refers to: the message's own id, then its references, oldest first.
func thread(m channel.Message) []string {
	if len(m.Refs) == 0 {
		return nil
	}
	older := slices.Clone(m.References[:min(len(m.References), limitThread)])
	slices.Reverse(older)
	return append([]string{m.Refs[0]}, older...)
}

func addresses(as []channel.Address) []string {
	var out []string
	for _, a := range as {
		out = append(out, a.Address)
	}
	return out
}
