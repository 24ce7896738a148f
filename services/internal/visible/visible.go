// Package visible keeps what nobody can see out of what people read: characters that
// control, that turn the direction of the text around them, and texts of nothing else.
package visible

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hidden is a character that is no part of a line: it ends one, controls or changes the direction of text.
func Hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// Blank says that there is nothing to see in s.
func Blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && !Hidden(r) && !unicode.Is(unicode.Cf, r)
	})
}

// Line says what is wrong with s as one line that says something, "" for nothing.
func Line(s string) string { return fault(s, Hidden) }

// Lines is Line for what may have several.
func Lines(s string) string {
	return fault(s, func(r rune) bool { return r != '\n' && r != '\r' && r != '\t' && Hidden(r) })
}

func fault(s string, hidden func(rune) bool) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsFunc(s, hidden):
		return "holds control characters or ones that change the direction of text"
	case Blank(s):
		return "must not be blank"
	}
	return ""
}

// Strip takes hidden characters out of a line that cannot be refused, such as a name that came in.
func Strip(s string) string {
	return strings.Map(func(r rune) rune {
		if Hidden(r) {
			return -1
		}
		return r
	}, s)
}

// Text takes NUL out of a text, which nothing can show and some cannot carry.
func Text(s string) string { return strings.ReplaceAll(s, "\x00", "") }
