package telegram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// maxFetch is what getFile hands over at most; Telegram calls them megabytes and counts 1,048,576 bytes.
const maxFetch = 20 << 20

const unknownKind = "a kind of Telegram message that is not known here"

// content is what a message says, in words where it is no text.
func content(m *message) channel.Content {
	c := channel.Content{Text: m.Text, HTML: markup(m.Text, m.Entities)}
	if m.Caption != "" {
		c.Text, c.HTML = m.Caption, markup(m.Caption, m.Captions)
	}
	c.Attachments = files(m)
	if words := inWords(m); words != "" {
		c.Text = strings.TrimSpace(words + "\n" + c.Text)
		c.HTML = ""
	}
	switch {
	case m.Quote != nil:
		c.Quoted = m.Quote.Text
	case m.ReplyTo != nil:
		c.Quoted = hosted.Clip(cmp.Or(m.ReplyTo.Text, m.ReplyTo.Caption), 500)
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Unparsed = unknownKind
	}
	return c
}

// inWords tells of content that is neither text nor file.
func inWords(m *message) string {
	switch {
	case m.Venue != nil: // location is set, too
		return fmt.Sprintf("Place: %s, %s (%s)", hosted.Clip(m.Venue.Title, 200), hosted.Clip(m.Venue.Address, 300), m.Venue.Location.uri())
	case m.Location != nil:
		return "Location: " + m.Location.uri()
	case m.Contact != nil:
		return fmt.Sprintf("Contact: %s, %s", name(m.Contact.First, m.Contact.Last, ""), hosted.Clip(m.Contact.Phone, 40))
	case m.Dice != nil:
		return fmt.Sprintf("%s %d", hosted.Clip(m.Dice.Emoji, 16), m.Dice.Value)
	case m.Poll != nil:
		return "Poll: " + hosted.Clip(m.Poll.Question, 300)
	case m.Story != nil:
		return "A story was forwarded; the Bot API does not hand it over."
	case m.Sticker != nil:
		return hosted.Clip(m.Sticker.Emoji, 32)
	}
	return ""
}

// uri is RFC 5870's.
func (l location) uri() string { return fmt.Sprintf("geo:%.6f,%.6f", l.Latitude, l.Longitude) }

// files are what getFile can be asked for. An animation comes as a document, too.
func files(m *message) (all []channel.Attachment) {
	add := func(f *file, fallback, kind string) {
		if f != nil && f.ID != "" {
			all = append(all, attachment(*f, fallback, kind))
		}
	}
	if len(m.Photo) > 0 { // the same in several sizes
		largest := slices.MaxFunc(m.Photo, func(x, y file) int { return cmp.Compare(x.Width, y.Width) })
		add(&largest, "photo.jpg", "image/jpeg")
	}
	if m.Animation != nil {
		add(m.Animation, "animation.mp4", "video/mp4")
	} else {
		add(m.Document, "document", "")
	}
	add(m.Audio, "audio.mp3", "audio/mpeg")
	add(m.Video, "video.mp4", "video/mp4")
	add(m.VideoNote, "video-note.mp4", "video/mp4")
	add(m.Voice, "voice.ogg", "audio/ogg")
	if s := m.Sticker; s != nil {
		switch {
		case s.Animated:
			add(&s.file, "sticker.tgs", "application/gzip")
		case s.Video:
			add(&s.file, "sticker.webm", "video/webm")
		default:
			add(&s.file, "sticker.webp", "image/webp")
		}
	}
	return all
}

func attachment(f file, fallback, kind string) channel.Attachment {
	a := channel.Attachment{Name: cmp.Or(hosted.FileName(f.Name), fallback), ContentType: hosted.Clip(cmp.Or(f.Type, kind), 100), Size: max(f.Size, 0), Remote: f.ID}
	if f.Size > maxFetch {
		a.Remote, a.Missing = "", "larger than 20 MB: Telegram does not hand it over to bots"
	}
	return a
}

// forwarded says whose words they are.
func forwarded(o *origin) string {
	switch {
	case o.User != nil:
		return "Forwarded from " + name(o.User.First, o.User.Last, o.User.Username)
	case o.HiddenName != "":
		return "Forwarded from " + hosted.DisplayName(o.HiddenName)
	case o.SenderChat != nil && o.SenderChat.Title != "":
		return "Forwarded from " + hosted.DisplayName(o.SenderChat.Title)
	case o.Chat != nil && o.Chat.Title != "":
		return "Forwarded from " + hosted.DisplayName(o.Chat.Title)
	}
	return "Forwarded"
}

func name(first, last, username string) string {
	if n := hosted.DisplayName(first + " " + last); n != "" {
		return n
	}
	return hosted.DisplayName(username)
}

func phone(s string) string {
	if s != "" && !strings.HasPrefix(s, "+") {
		s = "+" + s // Telegram leaves it out now and then
	}
	if n := handleid.Normalise("phone", s); strings.HasPrefix(n, "+") && len(n) <= 20 {
		return n
	}
	return ""
}
