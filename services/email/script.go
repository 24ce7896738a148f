package email

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// mixedScript says whether a domain could pass for another by its letters
// (RFC 6532 §3.4, UTS 39): a label in several scripts, or one in Cyrillic or
// Greek whose letters all have a twin in Latin.
func mixedScript(domain string) bool {
	u, err := idna.ToUnicode(strings.ToLower(domain))
	if err != nil {
		return true // nobody knows what it looks like
	}
	for label := range strings.SplitSeq(u, ".") {
		if labelMixes(label) {
			return true
		}
	}
	return false
}

// scripts that are looked for; letters of others count as one more.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"latin", unicode.Latin},
	{"cyrillic", unicode.Cyrillic},
	{"greek", unicode.Greek},
	{"armenian", unicode.Armenian},
	{"han", unicode.Han},
	{"hiragana", unicode.Hiragana},
	{"katakana", unicode.Katakana},
	{"hangul", unicode.Hangul},
	{"bopomofo", unicode.Bopomofo},
	{"arabic", unicode.Arabic},
	{"hebrew", unicode.Hebrew},
	{"thai", unicode.Thai},
	{"devanagari", unicode.Devanagari},
}

// together are scripts one language writes in, with or without Latin.
var together = [][]string{
	{"latin", "han", "hiragana", "katakana"}, {"latin", "han", "bopomofo"}, {"latin", "han", "hangul"},
}

// twins look like Latin letters.
const twins = "асԁеһіјӏорԛѕԝхуѵьҽգ" + "ονρυκικαγτ" + "օսոզ"

func labelMixes(label string) bool {
	found := map[string]bool{}
	onlyTwins := true
	for _, r := range label {
		if !unicode.IsLetter(r) {
			continue
		}
		onlyTwins = onlyTwins && strings.ContainsRune(twins, r)
		found[scriptOf(r)] = true
	}
	if len(found) == 1 {
		return onlyTwins && (found["cyrillic"] || found["greek"] || found["armenian"])
	}
	for _, set := range together {
		n := 0
		for _, s := range set {
			if found[s] {
				n++
			}
		}
		if n == len(found) {
			return false
		}
	}
	return len(found) > 1
}

func scriptOf(r rune) string {
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			return s.name
		}
	}
	for name, t := range unicode.Scripts {
		if name != "Common" && name != "Inherited" && unicode.Is(t, r) {
			return name
		}
	}
	return "latin" // belongs to all
}
