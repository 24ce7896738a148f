package schema

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWord cuts words: a longer one is some identifier or noise.
const maxWord = 64

// Words splits text as Search compares it: NFKD, no marks, lower case, runs of
// letters and digits. Han, kana, Thai, Lao, Khmer and Myanmar letters are
// words of their own, because these scripts put no spaces between words.
func Words(s string) []string {
	var out []string
	var word strings.Builder
	n := 0
	flush := func() {
		if n > 0 {
			out = append(out, word.String())
			word.Reset()
			n = 0
		}
	}
	for _, r := range fold(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsNumber(r):
			flush()
		case unspaced(r):
			flush()
			out = append(out, string(r))
		case n < maxWord:
			word.WriteRune(unicode.ToLower(r))
			n++
		}
	}
	flush()
	return out
}

func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return norm.NFKD.String(s)
		}
	}
	return s
}

func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
