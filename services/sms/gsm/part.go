package gsm

import (
	"errors"
	"fmt"
)

// Coding is how the characters of a message are written.
type Coding byte

// The codings.
const (
	SevenBit Coding = iota // GSM 7-bit default alphabet
	UCS2
)

// Most units of a message: one alone, and each of several.
const (
	SingleSeptets, PartSeptets = 160, 153
	SingleUnits, PartUnits     = 70, 67
	MaxParts                   = 255
)

// Size is what a text takes.
type Size struct {
	Coding Coding
	Units  int // septets, or units of UTF-16
	Parts  int // 1 for an empty text
}

// Measure says what a text takes when it is sent. It is exact: a character that
// would be torn begins the next part, so a text can take a part more than its units suggest.
func Measure(text string) Size {
	s := Size{Parts: 1}
	unit, single, part := septets, SingleSeptets, PartSeptets
	if !fits(text) {
		s.Coding, unit, single, part = UCS2, units, SingleUnits, PartUnits
	}
	used, parts := 0, 1
	for _, r := range text {
		n := unit(r)
		s.Units += n
		if used+n > part {
			parts, used = parts+1, 0
		}
		used += n
	}
	if s.Units > single {
		s.Parts = parts
	}
	return s
}

func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// Part is one message of a text. Header is the user data header with its
// length, empty where there is one part; Data has one septet in each byte, or UTF-16.
type Part struct {
	Coding Coding
	Header []byte
	Data   []byte
}

// ErrTooLong: a text has more parts than a header can number, or than are allowed.
var ErrTooLong = errors.New("text is too long")

// Split cuts a text into at most most parts (0: MaxParts) whose headers have the
// reference ref, and never within a character: neither between the halves of a surrogate pair
// nor behind an escape.
func Split(text string, ref byte, most int) ([]Part, error) {
	if most <= 0 || most > MaxParts {
		most = MaxParts
	}
	size := Measure(text)
	if size.Parts > most {
		return nil, fmt.Errorf("%w: it takes %d parts, at most %d are allowed", ErrTooLong, size.Parts, most)
	}
	write, part := writeSeptets, PartSeptets
	if size.Coding == UCS2 {
		write, part = appendUTF16, 2*PartUnits
	}
	parts := []Part{{Coding: size.Coding}}
	var char [4]byte
	for _, r := range text {
		b := write(char[:0], r)
		last := &parts[len(parts)-1]
		if size.Parts > 1 && len(last.Data)+len(b) > part {
			parts = append(parts, Part{Coding: size.Coding})
			last = &parts[len(parts)-1]
		}
		last.Data = append(last.Data, b...)
	}
	if len(parts) > 1 {
		for i := range parts {
			parts[i].Header = []byte{5, elementConcat8, 3, ref, byte(len(parts)), byte(i + 1)}
		}
	}
	return parts, nil
}

func writeSeptets(b []byte, r rune) []byte {
	if c, ok := encodeBasic[r]; ok {
		return append(b, c)
	}
	return append(b, escape, encodeExtended[r])
}

// Text of a part.
func (p Part) Text() string {
	if p.Coding == UCS2 {
		return DecodeUCS2(p.Data)
	}
	return Decode(p.Data)
}
