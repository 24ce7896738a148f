package email

import (
	"regexp"
	"strings"

	"github.com/jhillyerd/enmime/v2/mediatype"
)

// mediaType is a Content-Type or Content-Disposition field taken apart.
type mediaType struct {
	value  string // lower case: "text/plain", "attachment"
	params map[string]string
}

// hiddenMark stands for question marks while the library reads, so that it
// leaves encoded words alone: it breaks characters cut between two of them,
// and decodes again and again what comes out. It is made of characters that
// need no quotes; who writes it himself gets a question mark.
const hiddenMark = "^~q~^"

// parseMediaType reads "value; name=value; …" (RFC 2045 §5.1, RFC 2231,
// encoded words inside values). enmime repairs what is broken and reads it.
// Only the first 16 KiB and 100 parameters are read: its repairs cost the
// square of their number.
func parseMediaType(s string) mediaType {
	s, charsets := asASCII(firstParams(clip(s, maxParam)))
	s = toUTF8([]byte(s), "") // enmime reads characters: bytes that are none would be lost
	s = strings.ReplaceAll(separateType(s), "?", hiddenMark)
	value, params, _, err := mediatype.Parse(s)
	if err != nil || value == "" {
		value, params = salvage(s)
	}
	value = strings.ReplaceAll(strings.ToLower(value), hiddenMark, "?")
	m := mediaType{value: value, params: make(map[string]string, len(params))}
	for name, v := range params {
		v = toUTF8([]byte(v), charsets[name])
		if strings.Contains(v, "=?") { // the library made a word of what is not ASCII
			v = decodeWords(v)
		}
		v = strings.ReplaceAll(v, hiddenMark, "?")
		if strings.Contains(v, "=?") {
			v = decodeWords(v)
		}
		m.params[name] = v
	}
	if strings.HasPrefix(m.value, "multipart/") && m.params["boundary"] == "" {
		// enmime takes boundary for a repetition of another name that ends in it.
		_, params = salvage(s)
		m.params["boundary"] = params["boundary"]
	}
	return m
}

// separateType puts the missing semicolon after the type, or before the first
// parameter of a field that has none. enmime would call both a binary file.
func separateType(s string) string {
	head, _, _ := strings.Cut(s, ";")
	eq := strings.IndexByte(head, '=')
	if eq < 0 {
		return s
	}
	i := strings.IndexAny(head[:eq], " \t,")
	if i <= 0 || strings.TrimSpace(head[i:eq]) == "" {
		return ";" + s
	}
	return head[:i] + ";" + s[i+1:]
}

// salvage reads what one broken piece keeps from being read: the value up to
// its first blank or comment, and the parameters one by one.
func salvage(s string) (value string, params map[string]string) {
	head, rest, _ := strings.Cut(s, ";")
	value, _, _ = strings.Cut(strings.TrimSpace(head), " ")
	value, _, _ = strings.Cut(value, "(")
	params = map[string]string{}
	for piece := range strings.SplitSeq(rest, ";") {
		_, one, _, err := mediatype.Parse("a/b;" + piece)
		if err != nil {
			continue
		}
		for name, v := range one {
			if _, ok := params[name]; !ok {
				params[name] = v
			}
		}
	}
	return strings.Trim(value, "\"'"), params
}

// firstParams cuts s after its first 100 parameters.
func firstParams(s string) string {
	at := 0
	for range maxParams {
		i := strings.IndexByte(s[at:], ';')
		if i < 0 {
			return s
		}
		at += i + 1
	}
	return s[:at]
}

// extendedParam is the beginning of "name*=charset'language'…" or "name*0*=…".
var extendedParam = regexp.MustCompile(`((?:^|[;\s])([A-Za-z0-9_-]+)\*(?:0\*)?\s*=\s*"?)(?:([A-Za-z0-9._:+-]*)'[^'";]*')?`)

// asASCII declares extended parameters (RFC 2231 §4) to be ASCII and returns
// their true charsets by name. The library drops parameters of other charsets
// than UTF-8 and ASCII, and of none; of those two it gives the bytes as they are.
func asASCII(s string) (string, map[string]string) {
	if !strings.Contains(s, "*") {
		return s, nil
	}
	charsets := map[string]string{}
	for _, m := range extendedParam.FindAllStringSubmatch(s, -1) {
		if name := strings.ToLower(m[2]); charsets[name] == "" {
			charsets[name] = strings.ToLower(m[3])
		}
	}
	return extendedParam.ReplaceAllString(s, "${1}us-ascii''"), charsets
}
