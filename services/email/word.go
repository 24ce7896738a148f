package email

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// encodedWord is one word of RFC 2047 §2: charset, encoding, text.
var encodedWord = regexp.MustCompile(`(?s)=\?([^?\s]{1,60})\?([bBqQ])\?(.*?)\?=`)

// decodeWords reads RFC 2047 encoded words in unstructured text and display
// names. It forgives what mime.WordDecoder does not: a character cut between
// two words of one charset (the bytes are joined before they are decoded),
// damage, unknown charsets. What is no encoded word stays as it is.
func decodeWords(s string) string {
	var out strings.Builder
	var pending []byte // bytes of words of one charset, waiting for more
	charset, end := "", 0
	flush := func() {
		out.WriteString(toUTF8(pending, charset))
		pending = nil
	}
	for _, m := range encodedWord.FindAllStringSubmatchIndex(s, -1) {
		word, ok := decodeWord(s[m[4]:m[5]], s[m[6]:m[7]])
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(strings.ToLower(s[m[2]:m[3]]), "*") // RFC 2231 §5: a language
		// Blanks between two encoded words belong to neither (§6.2).
		if gap := s[end:m[0]]; end == 0 || strings.TrimSpace(gap) != "" || name != charset {
			flush()
			if end == 0 || strings.TrimSpace(gap) != "" {
				out.WriteString(toUTF8([]byte(gap), ""))
			}
		}
		pending, charset, end = append(pending, word...), name, m[1]
	}
	flush()
	out.WriteString(toUTF8([]byte(s[end:]), ""))
	return toLine(out.String())
}

// decodeWord undoes the encoding of one word. Words longer than 2 KB are not words.
func decodeWord(encoding, text string) ([]byte, bool) {
	if len(text) > 2048 {
		return nil, false
	}
	if encoding == "q" || encoding == "Q" {
		if strings.HasSuffix(text, "=") {
			text += "3D" // in a word it breaks no line
		}
		return decodeQuotedPrintable([]byte(strings.ReplaceAll(text, "_", "=20"))), true
	}
	b := decodeBase64([]byte(text))
	return b, len(b) > 0 || text == ""
}

// toLine makes one line without controls of any kind: what was encoded may
// hold line ends, NUL and bidirectional overrides.
func toLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r == '\uFEFF', isBidiControl(r):
			return -1
		}
		return r
	}, s))
}

// isBidiControl: overrides and isolates that can make text read as something else.
func isBidiControl(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// clip cuts s to at most n bytes at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
