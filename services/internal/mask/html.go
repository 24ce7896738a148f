package mask

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// HTML masks the text of an HTML fragment, also where tags stand between the
// digits, and the values of attributes. Bytes that are not of a hit stay as they are.
func (k Kinds) HTML(s string) (masked string, hit bool) {
	masked, _, hit = k.html(s, false)
	return masked, hit
}

// piece is one token.
type piece struct {
	raw  string
	text bool // it is plain text, at the next cut
}

func (k Kinds) html(s string, card bool) (masked string, holds, hit bool) {
	if k == None || s == "" {
		return s, false, false
	}
	var pieces []piece
	var text strings.Builder
	var d doc
	z := html.NewTokenizer(strings.NewReader(s))
	read := 0
	for z.Next() != html.ErrorToken {
		raw := string(z.Raw())
		read += len(raw)
		t := z.Token()
		if t.Type == html.TextToken {
			d.cuts = append(d.cuts, text.Len())
			text.WriteString(t.Data)
			d.cuts = append(d.cuts, text.Len())
			pieces = append(pieces, piece{raw, true})
			continue
		}
		with := k.token(&t, card)
		holds = holds || with.holds
		if with.changed {
			raw = t.String()
		}
		pieces = append(pieces, piece{raw, false})
		if parts[t.Data] {
			text.WriteByte('\n')
		}
	}
	d.text = text.String()
	before := d.text
	was := append([]int(nil), d.cuts...)
	holds = k.run(&d, card) || holds
	var out bytes.Buffer
	for _, p := range pieces {
		if !p.text {
			out.WriteString(p.raw)
			continue
		}
		if now := d.text[d.cuts[0]:d.cuts[1]]; now == before[was[0]:was[1]] {
			out.WriteString(p.raw)
		} else {
			out.WriteString(html.EscapeString(now))
		}
		d.cuts, was = d.cuts[2:], was[2:]
	}
	out.WriteString(s[read:]) // what the tokenizer gave up at
	return out.String(), holds, out.String() != s
}

type tokenMasked struct{ holds, changed bool }

// token masks what a tag or comment carries.
func (k Kinds) token(t *html.Token, card bool) (m tokenMasked) {
	mask := func(s string) string {
		d := doc{text: s}
		m.holds = k.run(&d, card) || m.holds
		m.changed = m.changed || d.text != s
		return d.text
	}
	switch t.Type {
	case html.CommentToken:
		t.Data = mask(t.Data)
	case html.StartTagToken, html.SelfClosingTagToken:
		for i := range t.Attr {
			t.Attr[i].Val = mask(t.Attr[i].Val)
		}
	}
	return m
}

// parts are elements that end what stands before them: text on both sides does not touch.
var parts = map[string]bool{
	"address": true, "article": true, "blockquote": true, "br": true, "caption": true, "center": true, "dd": true, "div": true, "dl": true,
	"dt": true, "footer": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "header": true, "hr": true,
	"img": true, "li": true, "ol": true, "p": true, "pre": true, "section": true, "table": true, "tbody": true, "td": true, "tfoot": true,
	"th": true, "thead": true, "tr": true, "ul": true,
}
