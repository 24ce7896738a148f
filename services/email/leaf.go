package email

import (
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// content undoes the transfer encoding of a leaf. Damage costs the damaged
// bytes only, never the rest.
func (n *node) content() []byte {
	enc, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(n.header.get("content-transfer-encoding"))), ";")
	switch strings.TrimSpace(strings.Trim(enc, `"'`)) {
	case "base64":
		return decodeBase64(n.body)
	case "quoted-printable":
		return decodeQuotedPrintable(n.body)
	}
	return n.body
}

// text is the content as text.
func (n *node) text() string { return toUTF8(n.content(), n.ctype.params["charset"]) }

// fileName is the name shown for a part, "" when it has none.
func (n *node) fileName() string {
	for _, s := range []string{n.disp.params["filename"], n.ctype.params["name"], n.disp.params["name"], n.ctype.params["filename"]} {
		if s = CleanFileName(s); s != "" {
			return s
		}
	}
	return ""
}

// CleanFileName makes a name safe to show and to offer for download: NFC, no
// path, no control, format or bidirectional characters, no leading dots or
// dashes, at most 200 bytes (the extension stays). "" when nothing is left.
// Canonicalise first, then look: a check before would see another name.
func CleanFileName(s string) string {
	s = norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\uFFFD' || unicode.Is(unicode.Co, r) {
			return -1
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, clip(s, 4096)))
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:*?"<>|`, r) {
			return '_'
		}
		return r
	}, s)
	s = strings.Trim(s, " .")
	s = strings.TrimLeft(s, "-. ")
	if len(s) > maxFileName {
		ext := path.Ext(s)
		if len(ext) > 20 {
			ext = ""
		}
		s = strings.TrimRight(clip(s, maxFileName-len(ext)), " .") + ext
	}
	base, _, _ := strings.Cut(strings.ToUpper(s), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "LPT1", "LPT2", "LPT3": // devices of one system
		s = "_" + s
	}
	return s
}
