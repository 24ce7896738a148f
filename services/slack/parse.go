package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Parse reads a stored event.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored events wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	it, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse slack event: %w", err)
	}
	return []channel.Item{it}, nil
}

func parse(raw channel.Raw) (it channel.Item, err error) {
	if raw.ContentType != ContentType {
		return it, fmt.Errorf("content type %q is not known", raw.ContentType)
	}
	var env envelope
	if err := json.Unmarshal(raw.Body, &env); err != nil {
		return it, err
	}
	var ev event
	if err := json.Unmarshal(env.Event, &ev); err != nil {
		return it, fmt.Errorf("event: %w", err)
	}
	if raw.ProviderID == "" {
		return it, errors.New("the input has no id")
	}
	from := env.sender(ev.actor())
	if from.Address == "" || from.Scope == "" || len(from.Address) > maxID || len(from.Scope) > maxID {
		return it, fmt.Errorf("user, team: one is missing or longer than %d", maxID)
	}
	switch {
	case ev.Type == typeReacted, ev.Type == typeUnreacted, ev.Subtype == subChanged, ev.Subtype == subDeleted:
		it.Change, err = change(raw, env, ev, from)
	case said[ev.Subtype] && (ev.Type == typeMessage || ev.Type == typeMention):
		it.Message, err = received(raw, env, ev, from)
	default:
		err = fmt.Errorf("type: %q with subtype %q is not known here", hosted.Clip(ev.Type, 40), hosted.Clip(ev.Subtype, 40))
	}
	return it, err
}

func named(channelID, ts string) (string, error) {
	if channelID == "" || ts == "" || len(channelID)+len(ts) >= maxID {
		return "", fmt.Errorf("channel, ts: one is missing or longer than %d", maxID)
	}
	return messageID(channelID, ts), nil
}

func received(raw channel.Raw, env envelope, ev event, from channel.Address) (*channel.Message, error) {
	id, err := named(ev.Channel, ev.TS)
	if err != nil {
		return nil, err
	}
	out := &channel.Message{
		ID: id, Refs: []string{id}, From: from, OccurredAt: when(raw, ev.TS), Content: content(ev, env.bot()),
		Assurance: 2, Evidence: "slack user",
	}
	root := ev.TS
	if ev.Thread != "" && ev.Thread != ev.TS {
		if _, err := named(ev.Channel, ev.Thread); err != nil {
			return nil, err
		}
		root = ev.Thread
		out.References = []string{messageID(ev.Channel, root)}
	}
	if !direct(ev.Channel) {
		// Everybody in the channel reads it; what is said below one message is one conversation of each who speaks.
		out.Thread = messageID(ev.Channel, root)
		out.Content.Subject = "In a channel"
		if env.Shared {
			out.Content.Subject = "In a channel shared with another company"
		}
	}
	return out, nil
}

func change(raw channel.Raw, env envelope, ev event, from channel.Address) (c *channel.Change, err error) {
	c = &channel.Change{ID: raw.ProviderID, From: from, OccurredAt: when(raw, ev.At), Assurance: 2, Evidence: "slack user"}
	switch {
	case ev.Type == typeReacted || ev.Type == typeUnreacted:
		if c.Action = channel.Reacted; ev.Type == typeUnreacted {
			c.Action = channel.Unreacted
		}
		if c.Emoji = hosted.Clip(ev.Reaction, 32); c.Emoji == "" {
			return nil, errors.New("reaction: is missing")
		}
		c.Target, err = named(ev.Item.Channel, ev.Item.TS)
	case ev.Subtype == subDeleted:
		c.Action = channel.Deleted
		c.Target, err = named(ev.Channel, ev.DeletedTS)
	case ev.Message == nil:
		return nil, errors.New("message: is missing")
	case ev.Message.Subtype == subTombstone:
		c.Action = channel.Deleted
		c.Target, err = named(ev.Channel, ev.Message.TS)
	default:
		c.Action, c.Content = channel.Edited, content(*ev.Message, env.bot())
		c.Target, err = named(ev.Channel, ev.Message.TS)
	}
	return c, err
}

// when is Slack's time, seconds and microseconds, unless it is in the future or none.
func when(raw channel.Raw, ts string) time.Time {
	whole, part, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	micros, errPart := strconv.ParseUint((part + "000000")[:6], 10, 32)
	if err != nil || errPart != nil || seconds <= 0 {
		return raw.ReceivedAt
	}
	at := time.Unix(seconds, int64(micros)*1000).UTC()
	if at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at
}
