package email

import (
	"html"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// readBody chooses what is shown and lists the rest as attachments. A part is
// shown or is an attachment; none is dropped.
func readBody(root *node) channel.Content {
	b := bodyReader{}
	pieces := b.collect(root)
	var c channel.Content
	c.Attachments = b.attachments
	c.Text, c.Quoted, c.HTML = b.render(pieces)
	c.Attachments = append(c.Attachments, b.cut...)
	return c
}

// piece of the body: one text in one or two forms.
type bodyPiece struct{ plain, html *node }

type bodyReader struct {
	attachments []channel.Attachment
	cut         []channel.Attachment // bodies too long to show whole
}

// collect walks the parts in order (RFC 2046 §5.1).
func (b *bodyReader) collect(n *node) []bodyPiece {
	if len(n.children) == 0 {
		switch {
		case !b.shown(n):
			b.attach(n)
		case n.ctype.value == "text/html":
			return []bodyPiece{{html: n}}
		default:
			return []bodyPiece{{plain: n}}
		}
		return nil
	}
	switch n.ctype.value {
	case "multipart/alternative":
		var out []bodyPiece
		for _, child := range n.children {
			got := b.collect(child)
			out = b.alternative(out, got)
		}
		return out
	case "multipart/encrypted":
		for _, child := range n.children {
			child.walk(b.attach)
		}
		return nil
	}
	var out []bodyPiece
	for _, child := range n.children {
		out = append(out, b.collect(child)...)
	}
	return out
}

// alternative joins two forms of the same text. A second form of a kind we
// have is the better one only when the first is blank.
func (b *bodyReader) alternative(have, more []bodyPiece) []bodyPiece {
	if len(have) == 0 {
		return more
	}
	for _, m := range more {
		switch {
		case m.html != nil && have[0].html == nil:
			have[0].html = m.html
		case m.html != nil:
			b.attach(m.html)
		}
		switch {
		case m.plain != nil && have[0].plain == nil:
			have[0].plain = m.plain
		case m.plain != nil:
			b.attach(m.plain)
		}
	}
	return have
}

// shown: a text without a name that is not said to be an attachment.
func (b *bodyReader) shown(n *node) bool {
	switch n.ctype.value {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown":
	default:
		return n.id == "" && strings.HasPrefix(n.ctype.value, "text/") && n.ctype.value != "text/calendar" && n.disp.value != "attachment"
	}
	return n.disp.value != "attachment" && n.fileName() == ""
}

func (b *bodyReader) attach(n *node) {
	if n.id == "" && len(n.body) == 0 {
		return
	}
	b.attachments = append(b.attachments, attachment(n))
}

func attachment(n *node) channel.Attachment {
	a := channel.Attachment{
		Name:        n.fileName(),
		ContentType: shownType(n.ctype.value),
		Size:        int64(len(n.content())),
		ContentID:   clip(toLine(strings.Trim(n.header.get("content-id"), "<> ")), 250),
		Part:        partName(n.id),
	}
	a.Inline = a.ContentID != "" && n.disp.value != "attachment" || n.disp.value == "inline" && strings.HasPrefix(a.ContentType, "image/")
	if a.Name == "" {
		a.Name = defaultName(n)
	}
	return a
}

// partName: the mail's own body, where it is no multipart, is part "0".
func partName(id string) string {
	if id == "" {
		return "0"
	}
	return id
}

func shownType(s string) string {
	if len(s) > 127 || strings.Count(s, "/") != 1 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"[]?=`, r) }) {
		return "application/octet-stream"
	}
	return s
}

func defaultName(n *node) string {
	switch n.ctype.value {
	case "message/rfc822", "message/global":
		if h, _, err := splitHeader(n.content()); err == nil {
			if s := CleanFileName(clip(decodeWords(clip(h.get("subject"), maxSubject)), 100)); s != "" {
				return s + ".eml"
			}
		}
		return "message.eml"
	case "text/calendar":
		return "invite.ics"
	case "message/delivery-status":
		return "delivery-status.txt"
	case "text/rfc822-headers":
		return "headers.txt"
	case "application/ms-tnef":
		return "winmail.dat"
	case "text/plain":
		return "message.txt"
	case "text/html":
		return "message.html"
	case "application/pgp-signature":
		return "signature.asc"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return "smime.p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return "smime.p7m"
	}
	_, sub, _ := strings.Cut(shownType(n.ctype.value), "/")
	if strings.HasPrefix(n.ctype.value, "image/") && len(sub) < 10 {
		return "image." + strings.TrimSuffix(strings.Replace(sub, "jpeg", "jpg", 1), "+xml")
	}
	return "attachment"
}

// render makes text, quoted history and safe HTML of the pieces.
func (b *bodyReader) render(pieces []bodyPiece) (text, quoted, safe string) {
	if len(pieces) == 0 {
		return "", "", ""
	}
	var texts, htmls []string
	hasHTML := false
	cutAt := -1
	for _, p := range pieces {
		plain, markup := b.plain(p.plain), b.html(p.html)
		if markup != "" {
			hasHTML = true
		}
		if strings.TrimSpace(plain) == "" && markup != "" {
			t := textFromHTML(markup)
			plain = t.text
			if len(pieces) == 1 {
				cutAt = t.quote
			}
		}
		if strings.TrimSpace(plain) != "" {
			texts = append(texts, trimBlankLines(strings.ReplaceAll(plain, "\r\n", "\n")))
		}
		if markup == "" && strings.TrimSpace(plain) != "" {
			markup = "<pre>" + html.EscapeString(plain) + "</pre>"
		}
		htmls = append(htmls, markup)
	}
	all := strings.Join(texts, "\n\n")
	if cutAt >= 0 && cutAt <= len(all) && len(texts) == 1 && all == texts[0] && cutAt > 0 {
		text, quoted = splitAt(all, cutAt)
	} else {
		text, quoted = SplitQuote(all)
	}
	if hasHTML {
		safe = strings.TrimSpace(Sanitise(strings.Join(htmls, "\n")))
	}
	return text, quoted, safe
}

// plain reads a text part; what is over the limit of a shown text stays as an attachment.
func (b *bodyReader) plain(n *node) string {
	if n == nil {
		return ""
	}
	s := n.text()
	if strings.EqualFold(n.ctype.params["format"], "flowed") {
		s = unflow(s, strings.EqualFold(n.ctype.params["delsp"], "yes"))
	}
	if n.ctype.value == "text/enriched" || n.ctype.value == "text/richtext" {
		s = textFromHTML(s).text
	}
	if len(s) > maxBody {
		b.cut = append(b.cut, attachment(n))
		s = clip(s, maxBody)
	}
	return s
}

func (b *bodyReader) html(n *node) string {
	if n == nil {
		return ""
	}
	content := n.content()
	charset := n.ctype.params["charset"]
	if charset == "" {
		charset = metaCharset(content)
	}
	s := toUTF8(content, charset)
	if len(s) > maxHTML {
		b.cut = append(b.cut, attachment(n))
		s = clip(s, maxHTML)
		if i := strings.LastIndexByte(s, '<'); i > 0 {
			s = s[:i]
		}
	}
	return s
}

// metaCharset looks for a charset in the first 1,024 bytes, where HTML wants it.
func metaCharset(b []byte) string {
	head := strings.ToLower(string(b[:min(len(b), 1024)]))
	i := strings.Index(head, "charset=")
	if i < 0 {
		return ""
	}
	rest := strings.TrimLeft(head[i+len("charset="):], `"' `)
	if j := strings.IndexAny(rest, `"'; />`); j >= 0 {
		rest = rest[:j]
	}
	return rest
}
