package line

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const unknownKind = "a kind of LINE message that is not known here"

// what LINE's kinds of files are called here, and the type they mostly have.
var kinds = map[string][2]string{
	"image": {"image.jpg", "image/jpeg"}, "video": {"video.mp4", "video/mp4"}, "audio": {"audio.m4a", "audio/mp4"}, "file": {"file", ""},
}

// content is what a message says, in words where it is no text.
func (m message) content() channel.Content {
	c := channel.Content{Text: m.Text}
	if kind, isFile := kinds[m.Type]; isFile {
		c.Attachments = []channel.Attachment{m.file(kind[0], kind[1])}
		return c
	}
	switch m.Type {
	case "location":
		place := strings.Trim(hosted.Clip(m.Title, 200)+", "+hosted.Clip(m.Address, 300), ", ")
		where := fmt.Sprintf("geo:%.6f,%.6f", m.Latitude, m.Longitude) // RFC 5870
		if c.Text = "Location: " + where; place != "" {
			c.Text = "Place: " + place + " (" + where + ")"
		}
	case "sticker":
		c.Text = "Sticker"
		if words := strings.Join(m.Keywords[:min(len(m.Keywords), 3)], ", "); words != "" {
			c.Text += ": " + hosted.Clip(words, 100)
		}
		if m.Text != "" {
			c.Text += " “" + hosted.Clip(m.Text, 100) + "”"
		}
	}
	if strings.TrimSpace(c.Text) == "" {
		c.Text, c.Unparsed = "", unknownKind
	}
	return c
}

// file is at LINE, under the message's id, or where another program of the
// account's that sends in the customer's name (LIFF) has put it.
func (m message) file(name, kind string) channel.Attachment {
	a := channel.Attachment{Name: cmp.Or(hosted.FileName(m.FileName), name), ContentType: kind, Size: max(m.FileSize, 0), Remote: m.ID}
	if m.Provider.Type != "external" {
		return a
	}
	if u, err := url.Parse(m.Provider.URL); err != nil || u.Scheme != "https" || u.User != nil || len(m.Provider.URL) > 2000 {
		a.Remote, a.Missing = "", "it is not at LINE, and its address is not given"
		return a
	}
	a.Remote = m.Provider.URL
	return a
}
