package email

import (
	"bytes"
	"strings"
)

// header is a block of header fields in the order they came. Names are lower
// case. Values are unfolded but otherwise raw.
type header []field

type field struct{ name, value string }

// get returns the first value of a field, "" when absent. First wins
// everywhere: a later duplicate is what an attacker adds or a list appends.
func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) all(name string) []string {
	var out []string
	for _, f := range h {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

func (h header) has(name string) bool {
	for _, f := range h {
		if f.name == name {
			return true
		}
	}
	return false
}

// splitHeader cuts raw at the first empty line and reads the fields before
// it. It forgives what is seen in the wild: bare LF, an mbox "From " line,
// lines without a colon (dropped), a missing empty line (then all is header
// only when the block looks like one). One pass.
func splitHeader(raw []byte) (h header, body []byte, err error) {
	rest := raw
	var cur *field
	var value strings.Builder
	flush := func() {
		if cur != nil {
			cur.value = strings.TrimSpace(value.String())
			h = append(h, *cur)
			cur = nil
		}
		value.Reset()
	}
	for len(rest) > 0 {
		line, next := cutLine(rest)
		if len(raw)-len(next) > MaxHeader {
			// A header that never ends is refused; a short one before a large body has ended by now.
			if len(bytes.TrimRight(line, "\r")) != 0 {
				return nil, nil, ErrHeader
			}
		}
		switch {
		case len(line) == 0:
			flush()
			return h, next, nil
		case line[0] == ' ' || line[0] == '\t':
			if cur != nil {
				value.WriteByte(' ')
				value.Write(bytes.Trim(line, " \t"))
			} else if len(bytes.TrimSpace(line)) == 0 && len(h) > 0 {
				// A line of blanks after a dropped line: treat as the end, as most readers do.
				return h, next, nil
			}
		default:
			colon := bytes.IndexByte(line, ':')
			name := ""
			if colon > 0 {
				name = string(bytes.ToLower(bytes.TrimRight(line[:colon], " \t")))
			}
			if !isFieldName(name) {
				if len(h) == 0 && cur == nil && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")) {
					// Not a header at all: everything is body.
					return nil, raw, nil
				}
				flush()
				if len(h) > 0 && !startsField(next) {
					return h, rest, nil // the empty line is missing: the body begins here
				}
				break
			}
			flush()
			cur = &field{name: name}
			value.Write(bytes.Trim(line[colon+1:], " \t"))
		}
		rest = next
	}
	flush()
	return h, nil, nil
}

// cutLine returns the line without its end and what follows. Ends: LF or CRLF.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	return bytes.TrimSuffix(b[:i], []byte{'\r'}), b[i+1:]
}

// startsField says whether b begins with a header field or an empty line.
func startsField(b []byte) bool {
	line, _ := cutLine(b[:min(len(b), 1000)])
	i := bytes.IndexByte(line, ':')
	return len(line) == 0 && len(b) > 0 || i > 0 && isFieldName(string(bytes.TrimRight(line[:i], " \t")))
}

// isFieldName: printable ASCII without colon and space (RFC 5322 §2.2).
func isFieldName(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
