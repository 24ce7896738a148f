package matrix

import (
	"cmp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/richtext"
)

const (
	unparsedEncrypted = "the message is encrypted: this inbox cannot read encrypted rooms"
	unparsedRedacted  = "the message was deleted before it came here"
	unparsedUnknown   = "a kind of Matrix message that is not known here"

	maxBody = 100_000 // characters; an event has at most 65,536 bytes ("Size limits")
)

// inWords is what an event says, in words where it is no text.
func inWords(e event, name string) channel.Content {
	switch {
	case e.Type == "m.room.encrypted":
		return channel.Content{Unparsed: unparsedEncrypted}
	case e.Unsigned.RedactedBecause != nil:
		return channel.Content{Unparsed: unparsedRedacted}
	case e.Type == "m.call.invite":
		return channel.Content{Text: "Tried to call; calls are not taken here."}
	case e.Type == "m.poll.start" || e.Type == "org.matrix.msc3381.poll.start":
		return channel.Content{Text: "A poll, which is not shown here."}
	}
	c := message(e.Content, e.Type, name)
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = unparsedUnknown
	}
	return c
}

// message reads the content of m.room.message by its msgtype, and of m.sticker.
func message(m content, kind, name string) (c channel.Content) {
	c.Text = hosted.Clip(m.Body, maxBody)
	if m.Relates != nil && m.Relates.ReplyTo.Event != "" {
		c.Quoted, c.Text = unquote(c.Text)
	}
	switch {
	case kind == "m.sticker", m.MsgType == "m.image", m.MsgType == "m.file", m.MsgType == "m.audio", m.MsgType == "m.video":
		c.Attachments = []channel.Attachment{attachment(m)}
		if kind != "m.sticker" && (m.Filename == "" || m.Filename == m.Body) {
			c.Text = "" // it is the file's name
		}
		return c
	case m.MsgType == "m.location":
		c.Text = strings.TrimSpace("Location: " + hosted.Clip(m.Geo, 200) + "\n" + c.Text)
		return c
	}
	if m.Format == "org.matrix.custom.html" {
		c.HTML = richtext.Sanitise(hosted.Clip(m.Formatted, maxBody))
		if c.HTML == c.Text { // nothing is formatted
			c.HTML = ""
		}
	}
	if m.MsgType == "m.emote" {
		who := cmp.Or(hosted.DisplayName(name), "The customer")
		c.Text = "* " + who + " " + c.Text
		c.HTML = ""
	}
	c.Text = strings.TrimRight(c.Text, "\n")
	return c
}

// unquote takes off the quotation that older clients put before an answer ("Rich replies", fallbacks).
func unquote(body string) (quoted, text string) {
	if !strings.HasPrefix(body, "> ") {
		return "", body
	}
	lines := strings.Split(body, "\n")
	n := 0
	for n < len(lines) && (strings.HasPrefix(lines[n], "> ") || lines[n] == ">") {
		quoted += strings.TrimPrefix(strings.TrimPrefix(lines[n], ">"), " ") + "\n"
		n++
	}
	if n == len(lines) || lines[n] != "" { // he quotes himself, and the quotation belongs to his words
		return "", body
	}
	if strings.HasPrefix(quoted, "<@") || strings.HasPrefix(quoted, "* <@") {
		if end := strings.Index(quoted, ">"); end > 0 {
			quoted = quoted[end+1:]
		}
	}
	return hosted.Clip(strings.TrimSpace(quoted), 500), strings.Join(lines[n+1:], "\n")
}

func attachment(m content) channel.Attachment {
	name := cmp.Or(hosted.FileName(m.Filename), hosted.FileName(m.Body), "file")
	a := channel.Attachment{Name: name, ContentType: hosted.Clip(m.Info.Type, 100), Size: max(m.Info.Size, 0)}
	switch {
	case m.URL == "" && len(m.Encfile) > 0:
		a.Missing = "the file is encrypted"
	case !isMedia(m.URL):
		a.Missing = "the message names no file"
	case a.Size > maxFetch:
		a.Missing = "larger than 100 MB"
	default:
		a.Remote = m.URL
	}
	return a
}
