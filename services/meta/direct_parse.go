package meta

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

// directItem reads the one event of a stored input.
func directItem(raw channel.Raw, kind string, e entry) (it channel.Item, err error) {
	if len(e.Messaging) != 1 {
		return it, errors.New("it is no single event")
	}
	var ev dmEvent
	if err := json.Unmarshal(e.Messaging[0], &ev); err != nil {
		return it, err
	}
	if ev.Message != nil && ev.Message.Echo {
		it.Receipt, err = ev.echo(raw)
		return it, err
	}
	if ev.Sender.ID == "" || len(ev.Sender.ID) > 200 {
		return it, errors.New("sender.id: is missing or longer than 200")
	}
	if raw.ProviderID == "" {
		return it, errors.New("the input has no id")
	}
	from := channel.Address{Kind: kind, Scope: e.ID, Address: ev.Sender.ID}
	if ev.Message == nil && (ev.Delivery != nil || ev.Read != nil) {
		it.Receipt, err = ev.seen(raw, from)
		return it, err
	}
	switch {
	case ev.Message != nil && ev.Message.Deleted, ev.Reaction != nil, ev.Edit != nil:
		it.Change, err = ev.change(raw, from)
	case ev.Message != nil, ev.Postback != nil, ev.Referral != nil:
		it.Message, err = ev.said(raw, from)
	default:
		err = errors.New("it is an event that is not known here")
	}
	return it, err
}

// echo of a message of ours says that it went out.
func (ev dmEvent) echo(raw channel.Raw) (*channel.Receipt, error) {
	m, ok := readMark(ev.Message.Metadata)
	if !ok {
		return nil, errors.New("message.metadata: is not ours")
	}
	r := &channel.Receipt{Channel: raw.Channel, Inbox: raw.Inbox, Outbound: m.outbound, State: channel.StateSent, At: ev.at(raw)}
	if m.part == 0 {
		r.ProviderID = hosted.Clip(ev.Message.MID, 250)
	}
	return r, nil
}

func (ev dmEvent) said(raw channel.Raw, from channel.Address) (*channel.Message, error) {
	out := &channel.Message{
		ID: raw.ProviderID, From: from, OccurredAt: ev.at(raw), Assurance: 2, Evidence: from.Kind + " account",
	}
	switch {
	case ev.Message != nil:
		if ev.Message.MID == "" {
			return nil, errors.New("message.mid: is missing")
		}
		out.ID = hosted.Clip(ev.Message.MID, 250)
		out.Content = ev.Message.content()
		if r := ev.Message.ReplyTo; r != nil && r.MID != "" {
			out.References = []string{hosted.Clip(r.MID, 250)}
		}
	case ev.Postback != nil:
		if ev.Postback.MID != "" {
			out.ID = hosted.Clip(ev.Postback.MID, 250)
		}
		out.Content.Text = "pressed: " + hosted.Clip(cmp.Or(ev.Postback.Title, ev.Postback.Payload), 300)
	default:
		out.Content.Text = "The customer came by a link: " + hosted.Clip(ev.Referral.Ref, 300)
		out.Flags = []string{"automatic", "auto_reply"}
	}
	out.Refs = []string{out.ID}
	return out, nil
}

// what Meta's kinds of attachments are called here, and the type they mostly have.
var dmKinds = map[string][2]string{
	"image": {"image.jpg", "image/jpeg"}, "video": {"video.mp4", "video/mp4"}, "audio": {"audio.mp4", "audio/mp4"}, "file": {"file", ""},
	"story_mention": {"story", ""}, "ig_reel": {"reel.mp4", "video/mp4"}, "reel": {"reel.mp4", "video/mp4"}, "ig_post": {"post", ""}, "ig_story": {"story", ""},
}

// content is what a message says, in words where it is no text.
func (m dmMessage) content() channel.Content {
	c := channel.Content{Text: m.Text}
	line := func(s string) {
		if c.Text != "" {
			c.Text += "\n"
		}
		c.Text += s
	}
	if r := m.ReplyTo; r != nil && r.Story != nil {
		c.Subject = "Reply to a story"
		c.Attachments = append(c.Attachments, remote("story", "", r.Story.URL))
	}
	for _, at := range m.Attachments[:min(len(m.Attachments), 50)] {
		kind, isFile := dmKinds[at.Type]
		switch {
		case at.Type == "story_mention":
			c.Subject = "Mention in a story"
			c.Attachments = append(c.Attachments, remote(kind[0], kind[1], at.Payload.URL))
		case isFile && at.Payload.URL != "":
			c.Attachments = append(c.Attachments, remote(kind[0], kind[1], at.Payload.URL))
		case at.Payload.Coordinates != nil:
			line(fmt.Sprintf("Location: geo:%.6f,%.6f", at.Payload.Coordinates.Lat, at.Payload.Coordinates.Long))
		case at.Payload.URL != "": // a share, a template, a kind of tomorrow
			line(hosted.Clip(at.Payload.Title+" "+at.Payload.URL, 2000))
		default:
			line("Attachment of a kind that is not handed over: " + hosted.Clip(at.Type, 40))
		}
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = "Meta does not hand it over: a kind of message that its API does not support"
	}
	return c
}

// remote is a file at Meta's, or the reason why there is none.
func remote(name, kind, address string) channel.Attachment {
	a := channel.Attachment{Name: name, ContentType: kind, Remote: address}
	if address == "" || len(address) > 4000 {
		a.Remote, a.Missing = "", "Meta names no address of it: the story is over or not public"
	}
	return a
}

func (ev dmEvent) change(raw channel.Raw, from channel.Address) (*channel.Change, error) {
	c := &channel.Change{ID: raw.ProviderID, From: from, OccurredAt: ev.at(raw), Assurance: 2, Evidence: from.Kind + " account"}
	switch {
	case ev.Edit != nil:
		c.Action, c.Target, c.Content.Text = channel.Edited, ev.Edit.MID, ev.Edit.Text
	case ev.Reaction != nil:
		c.Action, c.Target = channel.Reacted, ev.Reaction.MID
		c.Emoji = hosted.Clip(cmp.Or(ev.Reaction.Emoji, ev.Reaction.Reaction), 32)
		if ev.Reaction.Action == "unreact" {
			c.Action = channel.Unreacted
		} else if c.Emoji == "" {
			return nil, errors.New("reaction.emoji: is missing")
		}
	default:
		c.Action, c.Target = channel.Deleted, ev.Message.MID
	}
	if c.Target = hosted.Clip(c.Target, 250); c.Target == "" {
		return nil, errors.New("mid: is missing")
	}
	return c, nil
}

func (ev dmEvent) at(raw channel.Raw) time.Time {
	n, err := strconv.ParseInt(string(ev.Timestamp), 10, 64)
	return moment(raw, n, err == nil)
}
