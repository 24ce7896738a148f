package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden stands for the digits taken out. Digits that touch it are what a mask
// left, and no part of another number.
const hidden = "xxxxxx"

// maxDigits of a card (ISO/IEC 7812-1).
const maxDigits = 19

// group is digits without anything visible between them.
type group struct {
	start, end int
	n          int // digits; more than maxDigits: no card
	digits     [maxDigits]byte
	joined     bool // only separators stand between it and the one before
	comma      bool // one of them is a comma
	tight      bool // none of them is a blank: both are of one word
	left       bool // a mask left it
}

// maxSeparators between two groups, in characters: " - ", or a line that goes on quoted.
const maxSeparators = 4

// groups finds the digits of a text: of any script, full width too.
func groups(s string) []group {
	var all []group
	var g *group // the one being read
	gap, comma, blank, open := 0, false, false, false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		v, digit := value(r)
		switch {
		case digit:
			if g == nil || gap > 0 || !open {
				all = append(all, group{start: i, joined: open, comma: comma, tight: open && !blank})
				g = &all[len(all)-1]
				g.left = strings.HasSuffix(s[:i], hidden)
				gap, comma, blank, open = 0, false, false, true
			}
			if g.n < maxDigits {
				g.digits[g.n] = v
			}
			g.n++
			g.end = i + size
			if strings.HasPrefix(s[g.end:], hidden) {
				g.left = true
			}
		case ignorable(r): // neither separates nor ends
		case separator(r) && open && gap < maxSeparators:
			gap++
			comma, blank = comma || r == ',', blank || unicode.IsSpace(r)
		default:
			gap, comma, blank, open = 0, false, false, false
		}
		i += size
	}
	return all
}

// value of a decimal digit. Unicode has them in runs of ten (UAX #44).
func value(r rune) (byte, bool) {
	if r < utf8.RuneSelf {
		return byte(r) - '0', r >= '0' && r <= '9'
	}
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10), true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10), true
		}
	}
	return 0, false
}

func ignorable(r rune) bool {
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me)
}

func separator(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '-', '.', '_', ',', '>', '·', '•', '−', '．', '－':
		return true
	}
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Zs, unicode.Pd, unicode.Zl, unicode.Zp)
}
