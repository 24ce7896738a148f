package main

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/email"
)

// sender sends for an inbox, whatever its channel; false: it cannot now. The
// chat widget has nobody to send to who is not there.
func (h *hub) sender(channelName, inboxID string) (channel.Sender, bool) {
	if channelName == email.ChannelName {
		return h.email.Sender(inboxID)
	}
	if c, ok := h.carriers[channelName]; ok {
		return c.Sender(inboxID)
	}
	return nil, false
}

// templates lists the texts that an inbox's provider has approved.
func (h *hub) templates(ctx context.Context, channelName, inboxID string) ([]channel.TemplateText, error) {
	if t, ok := h.carriers[channelName].(channel.Templater); ok {
		return t.Templates(ctx, inboxID)
	}
	return nil, fmt.Errorf("%w: channel %s has none", channel.ErrNoTemplates, channelName)
}

// paused says whether somebody paused an inbox.
func (h *hub) paused(inboxID string) bool {
	in, ok := h.book.Get(inboxID)
	return ok && in.Paused
}

// gone finds that a channel has no such inbox (any more).
func (h *hub) gone(channelName string) func(inboxID string) bool {
	return func(inboxID string) bool {
		in, ok := h.book.Get(inboxID)
		return !ok || in.Channel != channelName
	}
}

// waiting counts what waits to go out in an inbox, and its inputs in POISON.
func (h *hub) waiting(ctx context.Context, channelName, inboxID string) (out, aside int64, err error) {
	if out, err = h.count(ctx, subject.StreamOut, subject.Out(h.cfg.Tenant, channelName, inboxID, "*")); err != nil {
		return 0, 0, err
	}
	aside, err = h.count(ctx, subject.StreamPoison, "poison.in.*."+h.cfg.Tenant+"."+channelName+"."+inboxID+".>")
	return out, aside, err
}

func (h *hub) count(ctx context.Context, stream, filter string) (n int64, err error) {
	s, err := h.bus.JS.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", stream, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", stream, err)
	}
	for _, c := range info.State.Subjects {
		n += int64(c)
	}
	return n, nil
}
