package channel

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Length counts text in the unit.
func (u TextUnit) Length(text string) int {
	switch u {
	case Bytes:
		return len(text)
	case UTF16Units:
		n := 0
		for _, r := range text {
			n += utf16.RuneLen(r)
		}
		return n
	}
	return utf8.RuneCountInString(text)
}

// Split cuts text into pieces of at most limit, as length counts them: between
// paragraphs where it can, else lines, sentences, words, and only then between
// characters as a reader sees them; an emoji of several code points is cut only
// where it alone is longer than limit. White space at a cut is dropped. A text within the limit, and any text
// with a limit below 1, is one piece, unchanged. length must be at most additive:
// length(a+b) <= length(a)+length(b).
func Split(text string, limit int, length func(string) int) []string {
	var pieces []string
	for limit > 0 && length(text) > limit {
		head := cut(text, limit, length)
		if p := strings.TrimRightFunc(text[:head], unicode.IsSpace); p != "" {
			pieces = append(pieces, p)
		}
		text = strings.TrimLeftFunc(text[head:], unicode.IsSpace)
	}
	if text != "" || len(pieces) == 0 {
		pieces = append(pieces, text)
	}
	return pieces
}

// cut is where the first piece of a text that is too long ends: the latest of
// the best kind of place. A place in the first half is worth less than a worse kind later.
func cut(text string, limit int, length func(string) int) int {
	var places [5]int // character, word, sentence, line, paragraph
	used, at, state := 0, 0, -1
	for rest := text; rest != ""; {
		var cluster string
		var boundaries int
		cluster, rest, boundaries, state = uniseg.StepString(rest, state)
		used += length(cluster)
		if used > limit && at > 0 {
			break
		}
		if used > limit { // one cluster alone is too long
			return max(codePoints(cluster, limit, length), 1)
		}
		at += len(cluster)
		places[0] = at
		switch {
		case strings.HasSuffix(text[:at], "\n\n"), strings.HasSuffix(text[:at], "\r\n\r\n"):
			places[4] = at
		case boundaries&uniseg.MaskLine == uniseg.LineMustBreak && rest != "":
			places[3] = at
		case boundaries&uniseg.MaskSentence != 0:
			places[2] = at
		case boundaries&uniseg.MaskLine == uniseg.LineCanBreak:
			places[1] = at
		}
	}
	for kind := len(places) - 1; kind > 0; kind-- {
		if places[kind] > at/2 {
			return places[kind]
		}
	}
	if places[1] > 0 {
		return places[1]
	}
	return places[0]
}

// codePoints is how many bytes of whole code points fit.
func codePoints(s string, limit int, length func(string) int) int {
	end := 0
	for i, r := range s {
		next := i + max(utf8.RuneLen(r), 1)
		if r == utf8.RuneError {
			_, n := utf8.DecodeRuneInString(s[i:])
			next = i + n
		}
		if length(s[:next]) > limit {
			break
		}
		end = next
	}
	if end == 0 {
		_, end = utf8.DecodeRuneInString(s)
	}
	return end
}
