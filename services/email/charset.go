package email

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// toUTF8 decodes text of a declared charset. The declaration is often wrong,
// so the rule is: a byte order mark wins; bytes that are valid UTF-8 with
// anything beyond ASCII in them are UTF-8 whatever was declared (text in
// another charset practically never is), unless the declared charset is a
// 7-bit or 16-bit one; else the declared charset; else Windows-1252, which
// reads every byte. UTF-7 is never read: it hides markup from filters.
// The result is valid UTF-8 without NUL.
func toUTF8(b []byte, declared string) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return clean(b[3:])
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return decodeWith(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), b)
	}
	name := charsetName(declared)
	if name == "utf-7" {
		return clean(b)
	}
	enc := lookupCharset(name)
	if utf8.Valid(b) && (enc == nil || !multiByteASCII(name)) {
		return clean(b)
	}
	switch {
	case enc != nil:
		return decodeWith(enc, b)
	case isUTF8Name(name) && mostlyUTF8(b):
		return clean(b) // a cut or damaged character does not make the whole Latin
	}
	return decodeWith(charmap.Windows1252, b)
}

func charsetName(s string) string {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), `"'`))
	s = strings.TrimPrefix(s, "charset=")
	return s
}

func isUTF8Name(s string) bool { return s == "utf-8" || s == "utf8" || s == "unicode-1-1-utf-8" }

// multiByteASCII: charsets whose text is (or can be) made of ASCII bytes that do not mean ASCII.
func multiByteASCII(name string) bool {
	return strings.HasPrefix(name, "iso-2022") || strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") ||
		strings.HasPrefix(name, "hz-") || name == "csiso2022jp" || strings.HasPrefix(name, "ucs-")
}

// lookupCharset finds an encoding; nil for UTF-8, ASCII and the unknown.
func lookupCharset(name string) encoding.Encoding {
	switch name {
	case "", "us-ascii", "ascii", "utf-8", "utf8", "unicode-1-1-utf-8", "unknown-8bit", "default", "x-unknown":
		return nil
	case "utf-16", "ucs-2":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case "utf-32", "ucs-4":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "cp932", "ms932", "windows-932":
		name = "shift_jis"
	case "cp936", "ms936":
		name = "gbk"
	case "cp949", "ms949", "ks_c_5601-1987":
		name = "euc-kr"
	case "cp1252", "ansi", "latin-1", "latin1":
		name = "windows-1252"
	}
	if len(name) == 6 && strings.HasPrefix(name, "cp125") {
		name = "windows-125" + name[5:]
	}
	if e, n := charset.Lookup(name); e != nil {
		if n == "replacement" || n == "utf-8" {
			return nil
		}
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e
	}
	return nil
}

func decodeWith(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return clean(b)
	}
	return clean(out)
}

// mostlyUTF8: at most one broken byte in a hundred beyond ASCII.
func mostlyUTF8(b []byte) bool {
	bad, good := 0, 0
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		b = b[n:]
	}
	return good > bad*4
}

// clean makes valid UTF-8 without NUL and other C0 controls but tab and line ends.
func clean(b []byte) string {
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
