package hosted

import (
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/visible"
)

// DisplayName is a name that somebody gave himself: one line of at most 100 characters, none of them hidden.
func DisplayName(s string) string {
	return Clip(visible.Strip(strings.Join(strings.Fields(s), " ")), 100)
}

// FileName leaves no path and no control characters in a file's name, and at most 200 characters.
func FileName(s string) string {
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	return Clip(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s), 200)
}

// Clip leaves at most so many characters.
func Clip(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}
