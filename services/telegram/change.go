package telegram

import (
	"errors"
	"slices"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

func edited(raw channel.Raw, m *message) ([]channel.Item, error) {
	from, assurance, evidence, err := sender(raw, m.Chat, m.From)
	if err != nil {
		return nil, err
	}
	if m.ID == 0 || raw.ProviderID == "" {
		return nil, errors.New("message_id: is missing")
	}
	at := m.EditDate
	if at == 0 {
		at = m.Date
	}
	return []channel.Item{{Change: &channel.Change{
		ID: raw.ProviderID, From: from, Target: messageID(m.Chat.ID, m.ID), Action: channel.Edited, Content: content(m),
		OccurredAt: when(raw, at), Assurance: assurance, Evidence: evidence,
	}}}, nil
}

// reacted: the update says what a user's reactions were and are; the difference is what he did.
func reacted(raw channel.Raw, r *reaction) ([]channel.Item, error) {
	from, assurance, evidence, err := sender(raw, r.Chat, r.User)
	if err != nil {
		return nil, err
	}
	if r.MessageID == 0 || raw.ProviderID == "" {
		return nil, errors.New("message_id: is missing")
	}
	var out []channel.Item
	add := func(action channel.Action, t reactionType) {
		out = append(out, channel.Item{Change: &channel.Change{
			ID: raw.ProviderID + "/" + string(action) + "/" + t.name(), From: from, Target: messageID(r.Chat.ID, r.MessageID),
			Action: action, Emoji: t.name(), OccurredAt: when(raw, r.Date), Assurance: assurance, Evidence: evidence,
		}})
	}
	for _, t := range r.Old {
		if !slices.Contains(r.New, t) {
			add(channel.Unreacted, t)
		}
	}
	for _, t := range r.New {
		if !slices.Contains(r.Old, t) {
			add(channel.Reacted, t)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("message_reaction: changes nothing")
	}
	return out, nil
}

func (t reactionType) name() string {
	switch {
	case t.Emoji != "":
		return hosted.Clip(t.Emoji, 32)
	case t.Type == "paid":
		return "⭐"
	}
	return "custom emoji"
}
