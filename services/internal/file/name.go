// Package file says how a stranger's file may be called and what it is.
package file

import (
	"strings"
	"unicode"
)

// maxName is the longest name, in characters.
const maxName = 150

// CleanName leaves no path, no control and no direction-changing characters in
// a name, no dots in front, and at most 150 characters. Never empty: "file".
func CleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimLeft(s, ". ")
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	if s == "" {
		return "file"
	}
	return s
}
