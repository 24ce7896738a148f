package email

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
)

// decodeBase64 reads base64 that may be damaged: what is not of the alphabet
// is passed over, the URL alphabet is taken for the other, and after padding
// it starts anew (some writers encode line by line).
func decodeBase64(b []byte) []byte {
	out := make([]byte, 0, base64.RawStdEncoding.DecodedLen(len(b)))
	var run [4096]byte // a multiple of four: no run but the last ends inside a group
	n := 0
	flush := func() {
		if n%4 == 1 {
			n-- // one character alone is no byte
		}
		out, _ = base64.RawStdEncoding.AppendDecode(out, run[:n]) // cannot fail: only the alphabet is in
		n = 0
	}
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case c == '=':
			flush()
			continue
		default:
			continue
		}
		run[n] = c
		if n++; n == len(run) {
			flush()
		}
	}
	flush()
	return out
}

// decodeQuotedPrintable keeps what is not an escape as it is. The library
// stops at lines longer than its buffer, at control characters and at blanks
// after a soft line break; so it gets a larger buffer and the damage mended.
func decodeQuotedPrintable(b []byte) []byte {
	out, err := readQuotedPrintable(b)
	if err != nil {
		out, _ = readQuotedPrintable(mendQuotedPrintable(b))
	}
	return out
}

func readQuotedPrintable(b []byte) ([]byte, error) {
	longest := 0
	for rest := b; len(rest) > 0; {
		line, next := cutLine(rest)
		longest, rest = max(longest, len(line)+2), next
	}
	out := bytes.NewBuffer(make([]byte, 0, len(b)))
	_, err := io.Copy(out, quotedprintable.NewReader(bufio.NewReaderSize(bytes.NewReader(b), max(4096, longest))))
	return out.Bytes(), err
}

func mendQuotedPrintable(b []byte) []byte {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(b)+len(b)/8)
	for len(b) > 0 {
		line, rest := cutLine(b)
		ended := len(line) < len(b)
		for _, c := range bytes.TrimRight(line, " \t\r") {
			if c < ' ' && c != '\t' || c == 0x7f {
				out = append(out, '=', hex[c>>4], hex[c&15])
				continue
			}
			out = append(out, c)
		}
		if ended {
			out = append(out, '\r', '\n')
		}
		b = rest
	}
	return bytes.TrimRight(out, "=")
}
