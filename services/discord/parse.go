package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Parse reads a stored input.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored inputs wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	it, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse discord input: %w", err)
	}
	return []channel.Item{it}, nil
}

const evidence = "discord user"

func parse(raw channel.Raw) (it channel.Item, err error) {
	if raw.ContentType != ContentType {
		return it, fmt.Errorf("content type %q is not known", raw.ContentType)
	}
	var in stored
	if err := json.Unmarshal(raw.Body, &in); err != nil {
		return it, err
	}
	switch in.Kind {
	case kindMessage, kindEdit:
		return spoken(raw, in)
	case kindDelete:
		var r removed
		if err := json.Unmarshal(in.Data, &r); err != nil {
			return it, err
		}
		return changed(raw, in, "delete:"+ref(r.Channel, r.ID), r.Channel, r.ID, channel.Change{Action: channel.Deleted})
	case kindReacted, kindUnreacted:
		var r reaction
		if err := json.Unmarshal(in.Data, &r); err != nil {
			return it, err
		}
		c := channel.Change{Action: channel.Reacted, Emoji: emoji(r)}
		if in.Kind == kindUnreacted {
			c.Action = channel.Unreacted
		}
		if in.ID == "" || c.Emoji == "" || in.With == nil || r.User != in.With.ID {
			return it, errors.New("id, emoji, user_id: one is missing, or is another's")
		}
		return changed(raw, in, in.ID, r.Channel, r.Message, c)
	}
	return it, fmt.Errorf("kind: %q is not known", hosted.Clip(in.Kind, 30))
}

// spoken is a message, or one as it is after an edit.
func spoken(raw channel.Raw, in stored) (it channel.Item, err error) {
	var m message
	if err := json.Unmarshal(in.Data, &m); err != nil {
		return it, err
	}
	id, err := named(m.Channel, m.ID)
	if err != nil {
		return it, err
	}
	from, err := sender(raw, m.Author)
	if err != nil {
		return it, err
	}
	if in.Kind == kindEdit {
		if m.EditedAt == "" {
			return it, errors.New("edited_timestamp: is missing")
		}
		return channel.Item{Change: &channel.Change{
			ID: "edit:" + id + "@" + hosted.Clip(m.EditedAt, 40), From: from, Target: id, Action: channel.Edited, Content: content(m),
			OccurredAt: when(raw, m.EditedAt), Assurance: 2, Evidence: evidence,
		}}, nil
	}
	out := &channel.Message{
		ID: id, Refs: []string{id}, From: from, OccurredAt: when(raw, m.At), Content: content(m), Assurance: 2, Evidence: evidence,
	}
	if len(m.Snapshots) > 0 {
		out.Flags = append(out.Flags, "forwarded")
	}
	if r := m.References; r != nil && r.Kind == 0 && r.Channel == m.Channel && idForm.MatchString(r.Message) {
		out.References = []string{ref(r.Channel, r.Message)}
	}
	return channel.Item{Message: out}, nil
}

// changed is what the customer of a channel did to a message. Discord does not say when.
func changed(raw channel.Raw, in stored, id, channelID, messageID string, c channel.Change) (it channel.Item, err error) {
	if c.Target, err = named(channelID, messageID); err != nil {
		return it, err
	}
	if in.With == nil {
		return it, errors.New("with: is missing")
	}
	if c.From, err = sender(raw, *in.With); err != nil {
		return it, err
	}
	c.ID, c.OccurredAt, c.Assurance, c.Evidence = id, raw.ReceivedAt, 2, evidence
	return channel.Item{Change: &c}, nil
}

func named(channelID, messageID string) (string, error) {
	if !idForm.MatchString(channelID) || !idForm.MatchString(messageID) {
		return "", errors.New("id, channel_id: one is missing or no number")
	}
	return ref(channelID, messageID), nil
}

// sender is a user of Discord's, who has logged in there.
func sender(raw channel.Raw, u user) (channel.Address, error) {
	if !idForm.MatchString(u.ID) {
		return channel.Address{}, errors.New("author.id: is missing or no number")
	}
	return channel.Address{Kind: Name, Scope: raw.Inbox, Address: u.ID, Name: u.called()}, nil
}

// emoji is a character, or the name of an emoji of a server's own.
func emoji(r reaction) string {
	switch name := hosted.Clip(r.Emoji.Name, 30); {
	case r.Emoji.ID == "":
		return name
	case name == "": // it was deleted
		return ":" + hosted.Clip(r.Emoji.ID, 30) + ":"
	default:
		return ":" + name + ":"
	}
}

// when is Discord's time unless it is in the future or none.
func when(raw channel.Raw, said string) time.Time {
	at, err := time.Parse(time.RFC3339, said)
	if err != nil || at.Year() < 2015 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at.UTC()
}
