package mastodon

import (
	"net/url"
	"path"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/richtext"
)

const (
	maxBody = 200_000 // bytes of HTML
	unknown = "a kind of post that is not known here"
)

// content is what a post says.
func content(s status, in stored) channel.Content {
	html := s.Content
	if len(html) > maxBody {
		html = strings.ToValidUTF8(html[:maxBody], "")
	}
	c := channel.Content{Subject: hosted.Clip(strings.TrimSpace(s.Spoiler), 300), Text: unaddressed(richtext.Text(html), in)}
	if formatted(html) {
		c.HTML = richtext.Sanitise(html)
	}
	for _, m := range s.Media[:min(len(s.Media), 20)] {
		c.Attachments = append(c.Attachments, attachment(m))
	}
	if s.Poll != nil {
		lines := []string{"Poll:"}
		for _, o := range s.Poll.Options[:min(len(s.Poll.Options), 20)] {
			lines = append(lines, "- "+hosted.Clip(o.Title, 200))
		}
		c.Text = strings.TrimSpace(c.Text + "\n\n" + strings.Join(lines, "\n"))
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		c.Text = c.Subject
		if c.Text == "" {
			c.Unparsed = unknown
		}
	}
	return c
}

// unaddressed takes our own name off the beginning: whoever writes to us has to put it there.
func unaddressed(text string, in stored) string {
	name, _, _ := strings.Cut(in.Me, "@")
	rest := text
	for {
		word := rest
		if i := strings.IndexAny(rest, " \n"); i >= 0 {
			word = rest[:i]
		}
		said := strings.ToLower(strings.TrimPrefix(word, "@"))
		if !strings.HasPrefix(word, "@") || said != name && said != in.Me || name == "" {
			break
		}
		rest = strings.TrimLeft(rest[len(word):], " \n")
	}
	if rest == "" {
		return text // he called us and said nothing
	}
	return rest
}

// formatted says whether there is more than paragraphs and mentions.
func formatted(html string) bool {
	for _, tag := range []string{"<strong", "<b>", "<em", "<i>", "<ul", "<ol", "<blockquote", "<pre", "<code", "<del", "<u>", "<h"} {
		if strings.Contains(html, tag) {
			return true
		}
	}
	return false
}

// attachment is a file that the instance keeps, or, where it does not, the instance of who sent it.
func attachment(m media) channel.Attachment {
	at := m.URL
	if at == "" {
		at = m.Remote
	}
	a := channel.Attachment{Name: nameOf(at, m.Type)}
	if u, err := url.Parse(at); err != nil || at == "" || len(at) > 4000 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		a.Missing = "the instance names no file"
		return a
	}
	a.Remote = at
	return a
}

func nameOf(address, kind string) string {
	u, err := url.Parse(address)
	if err == nil {
		if n := hosted.FileName(path.Base(u.Path)); n != "" && n != "." && n != "/" {
			return n
		}
	}
	switch kind {
	case "image", "gifv", "video", "audio":
		return kind
	}
	return "file"
}
