package discord

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const (
	maxSaid     = 20_000 // characters of what is read of one message; Discord has 4,000 at most
	unknownKind = "a Discord message without text or file"
)

// content is what a message says, in words where it is no text.
func content(m message) channel.Content {
	if m.Type == typeCall {
		return channel.Content{Text: "Tried to call; calls are not taken here."}
	}
	var c channel.Content
	said := words(m, &c, m.ID)
	for _, s := range m.Snapshots[:min(len(m.Snapshots), 10)] {
		var inside channel.Content
		s.Message.Channel = m.Channel
		text := words(s.Message, &inside, m.ID)
		said = append(said, "Forwarded message:")
		said = append(said, text...)
		c.Attachments = append(c.Attachments, inside.Attachments...)
		if len(text) == 0 && len(inside.Attachments) == 0 {
			said = append(said, "(nothing that can be shown)")
		}
	}
	c.Text = hosted.Clip(strings.Join(said, "\n\n"), maxSaid)
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = unknownKind
	}
	return c
}

// words are the paragraphs of a message; its files go to c, known by the message of an id.
func words(m message, c *channel.Content, messageID string) (said []string) {
	if text := strings.TrimSpace(plain(hosted.Clip(m.Content, maxSaid), m.Mentions)); text != "" {
		said = append(said, text)
	}
	for _, s := range m.Stickers[:min(len(m.Stickers), 10)] {
		said = append(said, strings.TrimSpace("Sticker: "+hosted.Clip(s.Name, 100)))
	}
	if m.Poll != nil {
		lines := []string{strings.TrimSpace("Poll: " + hosted.Clip(m.Poll.Question.Text, 300))}
		for _, a := range m.Poll.Answers[:min(len(m.Poll.Answers), 20)] {
			lines = append(lines, "- "+hosted.Clip(a.Media.Text, 200))
		}
		said = append(said, strings.Join(lines, "\n"))
	}
	for _, f := range m.Files[:min(len(m.Files), 20)] {
		c.Attachments = append(c.Attachments, f.attachment(m, messageID))
	}
	if len(said) == 0 && len(m.Files) == 0 {
		for _, e := range m.Embeds[:min(len(m.Embeds), 10)] { // what an app shows, not the preview of a link
			if text := strings.TrimSpace(hosted.Clip(e.Title, 300) + "\n" + hosted.Clip(e.Description, 4000)); text != "" {
				said = append(said, text)
			}
		}
	}
	return said
}

// attachment is a file at Discord's. Its address expires, so the message goes along in which a new one is found.
func (f attachment) attachment(m message, messageID string) channel.Attachment {
	a := channel.Attachment{Name: cmp.Or(hosted.FileName(f.Name), "file"), ContentType: hosted.Clip(f.Kind, 100), Size: max(f.Size, 0)}
	if m.Flags&flagVoice != 0 && f.Duration > 0 {
		a.Name = "voice message.ogg"
	}
	u, err := url.Parse(f.URL)
	if err != nil || f.URL == "" || len(f.URL) > 4000 || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		a.Missing = "Discord names no address of it"
		return a
	}
	a.Remote = strings.Join([]string{m.Channel, messageID, f.ID, f.URL}, " ")
	if !idForm.MatchString(m.Channel) || !idForm.MatchString(messageID) || !idForm.MatchString(f.ID) {
		a.Remote, a.Missing = "", "Discord names no message of it"
	}
	return a
}
