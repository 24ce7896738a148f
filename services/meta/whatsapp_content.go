package meta

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

// content is what a message says, in words where it is no text.
func (m waMessage) content() (c channel.Content) {
	add := func(f *waMedia, fallback, kind string) {
		if f == nil || f.ID == "" {
			return
		}
		c.Attachments = append(c.Attachments, channel.Attachment{
			Name: cmp.Or(hosted.FileName(f.Filename), fallback), ContentType: hosted.Clip(cmp.Or(f.Type, kind), 100), Remote: hosted.Clip(f.ID, 200),
		})
		if f.Caption != "" {
			c.Text = f.Caption
		}
	}
	switch m.Type {
	case "text":
		c.Text = m.Text.Body
	case "image":
		add(m.Image, "image.jpg", "image/jpeg")
	case "video":
		add(m.Video, "video.mp4", "video/mp4")
	case "audio":
		name := "audio.ogg"
		if m.Audio != nil && m.Audio.Voice {
			name = "voice.ogg"
		}
		add(m.Audio, name, "audio/ogg")
	case "document":
		add(m.Document, "document", "")
	case "sticker":
		add(m.Sticker, "sticker.webp", "image/webp")
	default:
		c.Text = m.inWords()
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = "a kind of WhatsApp message that is not known here: " + hosted.Clip(cmp.Or(m.Type, "none"), 40)
		if len(m.Errors) > 0 {
			c.Unparsed = "WhatsApp did not hand it over: " + m.Errors[0].words()
		}
	}
	return c
}

// inWords tells of content that is neither text nor file; empty: it is not known.
func (m waMessage) inWords() string {
	switch {
	case m.Type == "location" && m.Location != nil:
		l := m.Location
		where := strings.Join(strings.Fields(hosted.Clip(l.Name+" "+l.Address, 300)), " ")
		return strings.TrimSpace(fmt.Sprintf("Location: %s geo:%.6f,%.6f", where, l.Latitude, l.Longitude))
	case m.Type == "contacts" && len(m.Contacts) > 0:
		return m.cards()
	case m.Type == "button" && m.Button != nil:
		return hosted.Clip(m.Button.Text, 4096)
	case m.Type == "interactive" && m.Interactive != nil:
		i := m.Interactive
		switch i.Type {
		case "button_reply":
			return hosted.Clip(i.Button.Title, 1000)
		case "list_reply":
			return strings.TrimSpace(hosted.Clip(i.List.Title, 1000) + "\n" + hosted.Clip(i.List.Description, 1000))
		case "nfm_reply":
			return "Form " + hosted.Clip(cmp.Or(i.Flow.Name, "sent"), 100) + ": " + hosted.Clip(cmp.Or(i.Flow.JSON, i.Flow.Body), 10_000)
		}
	case m.Type == "order" && m.Order != nil:
		lines := []string{"Order:"}
		for _, it := range m.Order.Items[:min(len(m.Order.Items), 100)] {
			lines = append(lines, fmt.Sprintf("%s × %s, %s %s", it.Quantity, hosted.Clip(it.ID, 100), it.Price, hosted.Clip(it.Currency, 5)))
		}
		return strings.TrimSpace(strings.Join(lines, "\n") + "\n" + hosted.Clip(m.Order.Text, 4096))
	case m.Type == "system" && m.System != nil:
		return hosted.Clip(cmp.Or(m.System.Body, "WhatsApp says: "+m.System.Type), 1000)
	case m.Type == "request_welcome":
		return "The customer has opened the chat for the first time."
	}
	return ""
}

func (m waMessage) cards() string {
	var lines []string
	for _, c := range m.Contacts[:min(len(m.Contacts), 50)] {
		line := "Contact: " + hosted.DisplayName(c.Name.Formatted)
		for _, p := range c.Phones[:min(len(c.Phones), 10)] {
			line += ", " + hosted.Clip(p.Phone, 40)
		}
		for _, e := range c.Emails[:min(len(c.Emails), 10)] {
			line += ", " + hosted.Clip(e.Email, 254)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
