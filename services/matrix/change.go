package matrix

import (
	"errors"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

func changed(raw channel.Raw, in stored, e event, action channel.Action, target string) *channel.Change {
	from, assurance, evidence := sender(raw, in, e)
	return &channel.Change{
		ID: refOf(in.Room, e.ID), From: from, Target: refOf(in.Room, target), Action: action,
		OccurredAt: when(raw, e.At), Assurance: assurance, Evidence: evidence,
	}
}

// edited: m.new_content is all of it as it is now ("Event replacements").
func edited(raw channel.Raw, in stored, e event) channel.Item {
	c := changed(raw, in, e, channel.Edited, e.Content.Relates.Event)
	now := e
	now.Content = *e.Content.New
	c.Content = inWords(now, in.Name)
	return channel.Item{Change: c}
}

func reacted(raw channel.Raw, in stored, e event) (channel.Item, error) {
	r := e.Content.Relates
	if r == nil || r.Event == "" || r.Key == "" {
		return channel.Item{}, errors.New("m.relates_to: names no event or no key")
	}
	c := changed(raw, in, e, channel.Reacted, r.Event)
	c.Emoji = hosted.Clip(r.Key, 32)
	return channel.Item{Change: c}, nil
}

// redacted takes back a reaction, else deletes a message.
func redacted(raw channel.Raw, in stored, e event) (channel.Item, error) {
	if in.Reaction != nil && in.Reaction.Target != "" && in.Reaction.Key != "" {
		c := changed(raw, in, e, channel.Unreacted, in.Reaction.Target)
		c.Emoji = hosted.Clip(in.Reaction.Key, 32)
		return channel.Item{Change: c}, nil
	}
	if e.redacted() == "" {
		return channel.Item{}, errors.New("redacts: is missing")
	}
	return channel.Item{Change: changed(raw, in, e, channel.Deleted, e.redacted())}, nil
}
