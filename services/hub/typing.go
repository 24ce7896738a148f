package main

import (
	"context"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/internal/boot"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/internal/typing"
)

// replyTarget finds where a conversation would be answered now, for the actor in
// the context: from the conversation target, here or in its own process.
func (h *hub) replyTarget() func(context.Context, string) *inboxv1.ReplyTarget {
	client, base := peer.InProcess(h.backend()), "http://conversation"
	if h.conversation == nil {
		client, base = peer.Client(h.cfg.Cluster.Secret), h.cfg.Cluster.Conversation
	}
	api := inboxv1connect.NewInboxServiceClient(client, base)
	return func(ctx context.Context, conversation string) *inboxv1.ReplyTarget {
		found, err := api.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: conversation})
		if err != nil {
			return nil // nothing depends on it
		}
		return found.GetConversation().GetReplyTarget()
	}
}

func (h *hub) showsTyping(channelName string) bool {
	c, ok := h.capabilities(channelName, "")
	return ok && c.Typing
}

// typist shows customers of a channel that an agent types; none: the channel cannot.
func (h *hub) typist(c channel.Adapter) (units []boot.Unit) {
	t, ok := c.(channel.Typist)
	if !ok {
		return nil
	}
	return []boot.Unit{simple(c.Channel()+" typing", []string{c.Channel()}, func(ctx context.Context) error {
		return typing.Follow(ctx, typing.Deps{
			NC: h.bus.NC, Keys: h.keys, Tenant: h.cfg.Tenant, Typist: t, Lasts: c.Capabilities().TypingLasts, Metrics: h.metrics,
			Works: func(id string) bool {
				in, ok := h.book.Get(id)
				return ok && in.Channel == c.Channel() && !in.Paused
			},
		}, c.Channel())
	})}
}

// customerTypes shows agents that a customer types.
func (h *hub) customerTypes(from channel.Address, on bool) {
	if err := typing.Customer(h.bus.NC, h.cfg.Tenant, handleid.Of(h.keys, from), on); err != nil {
		h.log.Debug("typing not published", "channel", from.Kind, "error", err)
	}
}
