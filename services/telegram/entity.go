package telegram

import (
	"cmp"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
)

// entity is a formatted piece of a text; offset and length count UTF-16 units ("MessageEntity").
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url"`
}

var tags = map[string]string{
	"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code", "pre": "pre",
	"blockquote": "blockquote", "expandable_blockquote": "blockquote",
}

// markup is a text with its formatting as HTML of a few safe elements; empty
// where there is none. Entities are nested or apart; one that is neither, that lies
// outside of the text or cuts a character, is left out.
func markup(text string, entities []entity) string {
	units := utf16.Encode([]rune(text))
	var kept []entity
	for _, e := range entities {
		if e.Offset >= 0 && e.Length > 0 && e.Offset <= len(units) && e.Length <= len(units)-e.Offset &&
			whole(units, e.Offset) && whole(units, e.end()) && open(e) != "" {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	slices.SortStableFunc(kept, func(x, y entity) int {
		return cmp.Or(cmp.Compare(x.Offset, y.Offset), cmp.Compare(y.Length, x.Length))
	})
	var b strings.Builder
	var stack []entity
	at, pre := 0, 0
	write := func(to int) {
		s := html.EscapeString(string(utf16.Decode(units[at:to])))
		if pre == 0 {
			s = strings.ReplaceAll(s, "\n", "<br>")
		}
		b.WriteString(s)
		at = to
	}
	closeUntil := func(to int) {
		for len(stack) > 0 && stack[len(stack)-1].end() <= to {
			top := stack[len(stack)-1]
			write(top.end())
			if top.Type == "pre" {
				pre--
			}
			b.WriteString(shut(top))
			stack = stack[:len(stack)-1]
		}
	}
	for _, e := range kept {
		closeUntil(e.Offset)
		if len(stack) > 0 && e.end() > stack[len(stack)-1].end() {
			continue
		}
		write(e.Offset)
		b.WriteString(open(e))
		if e.Type == "pre" {
			pre++
		}
		stack = append(stack, e)
	}
	closeUntil(len(units))
	write(len(units))
	return b.String()
}

// whole says that a cut at i goes through no character.
func whole(units []uint16, i int) bool {
	return i == 0 || i == len(units) || !utf16.IsSurrogate(rune(units[i])) || units[i] < 0xdc00
}

func (e entity) end() int { return e.Offset + e.Length }

func open(e entity) string {
	if e.Type == "text_link" {
		u, err := url.Parse(e.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" {
			return ""
		}
		return `<a href="` + html.EscapeString(u.String()) + `" rel="noopener noreferrer nofollow">`
	}
	if t := tags[e.Type]; t != "" {
		return "<" + t + ">"
	}
	return ""
}

func shut(e entity) string {
	if e.Type == "text_link" {
		return "</a>"
	}
	return "</" + tags[e.Type] + ">"
}
