package gsm

import (
	"encoding/binary"
	"errors"
)

// Information elements of a user data header.
const (
	elementConcat8  = 0x00
	elementConcat16 = 0x08
)

// Concat says which part of which message something is. The zero value: it is not one of several.
type Concat struct {
	Ref         uint16
	Total, Part byte // Part counts from 1
	Wide        bool // the reference has 16 bits: it is another one than the same of 8
}

// Sound says whether it numbers a part of several.
func (c Concat) Sound() bool { return c.Total > 1 && c.Part >= 1 && c.Part <= c.Total }

var errHeader = errors.New("user data header is longer than the message")

// ReadHeader takes a user data header, which begins with its length, off a
// message. Elements it does not know are skipped; a number that makes no sense
// is none, as 3GPP TS 23.040, section 9.2.3.24.1 says.
func ReadHeader(b []byte) (c Concat, rest []byte, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return c, b, errHeader
	}
	header, rest := b[1:1+int(b[0])], b[1+int(b[0]):]
	for len(header) >= 2 {
		kind, n := header[0], int(header[1])
		if len(header) < 2+n {
			break
		}
		e := header[2 : 2+n]
		switch {
		case kind == elementConcat8 && n == 3:
			c = Concat{Ref: uint16(e[0]), Total: e[1], Part: e[2]}
		case kind == elementConcat16 && n == 4:
			c = Concat{Ref: binary.BigEndian.Uint16(e), Total: e[2], Part: e[3], Wide: true}
		}
		header = header[2+n:]
	}
	if !c.Sound() {
		c = Concat{}
	}
	return c, rest, nil
}
