package matrix

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// ContentType of stored inputs: one event as it came, with what its room knew of it.
const ContentType = "application/vnd.weftline.matrix+json"

// stored is an input. The event is as the homeserver gave it; a sync says
// which room it is in beside it.
type stored struct {
	Room     string          `json:"room"`
	RoomName string          `json:"room_name,omitempty"`
	Me       string          `json:"me"`
	Name     string          `json:"name,omitempty"`     // the sender's in this room
	Group    bool            `json:"group,omitempty"`    // more than two were there
	Reaction *reaction       `json:"reaction,omitempty"` // what a redaction takes back, where it is one
	Event    json.RawMessage `json:"event"`
}

// Parse reads a stored event.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored events wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse matrix event: content type %q is not known", raw.ContentType)
	}
	var in stored
	if err := json.Unmarshal(raw.Body, &in); err != nil {
		return nil, fmt.Errorf("parse matrix event: %w", err)
	}
	var e event
	if err := json.Unmarshal(in.Event, &e); err != nil {
		return nil, fmt.Errorf("parse matrix event: %w", err)
	}
	item, err := item(raw, in, e)
	if err != nil {
		return nil, fmt.Errorf("parse matrix event: %w", err)
	}
	return []channel.Item{item}, nil
}

func item(raw channel.Raw, in stored, e event) (channel.Item, error) {
	switch {
	case e.ID == "":
		return channel.Item{}, errors.New("event_id: is missing")
	case in.Room == "":
		return channel.Item{}, errors.New("room: is missing")
	case !isUser(e.Sender):
		return channel.Item{}, errors.New("sender: is no user id")
	}
	switch e.Type {
	case "m.reaction":
		return reacted(raw, in, e)
	case "m.room.redaction":
		return redacted(raw, in, e)
	case "m.room.message":
		if r := e.Content.Relates; r != nil && r.Type == "m.replace" && e.Content.New != nil && r.Event != "" {
			return edited(raw, in, e), nil
		}
	case "m.room.member":
		return left(raw, in, e), nil
	}
	return said(raw, in, e), nil
}

// sender of a direct room is the user, attested by the homeserver he is at:
// ours, or one whose signature ours has checked. Of any other room it is the room, which is nobody's address.
func sender(raw channel.Raw, in stored, e event) (from channel.Address, assurance int, evidence string) {
	switch {
	case in.Group:
		return channel.Address{Kind: kindRoom, Scope: raw.Inbox, Address: in.Room, Name: hosted.DisplayName(in.RoomName)}, 0, "matrix room"
	case same("@x:"+serverOf(in.Me), "@x:"+serverOf(e.Sender)):
		return person(e.Sender, in.Name), 2, "matrix user of our homeserver"
	}
	return person(e.Sender, in.Name), 2, "matrix user, signed by his homeserver"
}

func said(raw channel.Raw, in stored, e event) channel.Item {
	from, assurance, evidence := sender(raw, in, e)
	id := refOf(in.Room, e.ID)
	m := &channel.Message{
		ID: id, Refs: []string{id}, From: from, OccurredAt: when(raw, e.At), Content: inWords(e, in.Name),
		Assurance: assurance, Evidence: evidence,
	}
	if r := e.Content.Relates; r != nil {
		if r.Type == "m.thread" && r.Event != "" {
			m.Thread = refOf(in.Room, r.Event)
			m.References = append(m.References, m.Thread)
		}
		if to := r.ReplyTo.Event; to != "" && !r.Fallback {
			m.References = append([]string{refOf(in.Room, to)}, m.References...)
		}
	}
	if e.Content.MsgType == "m.notice" {
		// A program's: those never answer one another ("m.notice").
		m.Flags = append(m.Flags, "automatic", "auto_reply")
	}
	if in.Group {
		inGroup(m, e, in)
	}
	return channel.Item{Message: m}
}

// inGroup keeps what was said and marks it: it wakes nothing and nobody answers it.
func inGroup(m *channel.Message, e event, in stored) {
	m.Flags = append(m.Flags, "list", "auto_reply")
	name := hosted.DisplayName(in.Name)
	if name == "" {
		name = e.Sender
	}
	m.Content.Text = name + ": " + m.Content.Text
	m.Content.HTML = ""
}

// left says that the customer has left the room. It wakes nothing.
func left(raw channel.Raw, in stored, e event) channel.Item {
	from, assurance, evidence := sender(raw, in, e)
	text := "The customer has left the chat: nothing reaches him there any more."
	if in.Group {
		text = "left the room"
	}
	m := &channel.Message{
		ID: refOf(in.Room, e.ID), From: from, OccurredAt: when(raw, e.At), Assurance: assurance, Evidence: evidence,
		Content: channel.Content{Text: text}, Flags: []string{"automatic", "auto_reply"},
	}
	return channel.Item{Message: m}
}
