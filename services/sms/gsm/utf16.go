package gsm

import (
	"encoding/binary"
	"unicode/utf16"
)

func appendUTF16(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != 0xfffd {
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(hi)), uint16(lo))
	}
	if r > 0xffff {
		r = 0xfffd
	}
	return binary.BigEndian.AppendUint16(b, uint16(r))
}

// DecodeUCS2 reads UTF-16, big endian. Half a pair becomes U+FFFD, and so does half a unit at the end.
func DecodeUCS2(b []byte) string {
	units := make([]uint16, 0, len(b)/2+1)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		units = append(units, 0xfffd)
	}
	return string(utf16.Decode(units))
}
