package chat

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const maxName = 120 // characters of a file name

var reservedName = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// cleanName makes a file name that can be shown and saved: NFC, no path, no
// control or format characters (which hide or turn round what follows), no
// leading dots or dashes, no device names. It canonicalises before it looks.
func cleanName(s string) string {
	s = norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))) // composed last: what is taken out may have kept two apart
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, s)
	s = strings.TrimRight(strings.TrimLeft(s, ".- "), ". ")
	if r := []rune(s); len(r) > maxName {
		ext := ""
		if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 10 {
			ext = s[i:]
		}
		s = strings.TrimRight(string(r[:maxName-len([]rune(ext))]), ". ") + ext
	}
	if s == "" {
		return "file"
	}
	if reservedName.MatchString(s) {
		return "_" + s
	}
	return s
}
