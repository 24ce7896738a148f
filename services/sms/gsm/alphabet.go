package gsm

import (
	"strings"
	"unicode/utf8"
)

// escape leads to the extension table.
const escape = 0x1b

// basic is the default alphabet in the order of its codes.
const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

var (
	decodeBasic = []rune(basic)
	// decodeExtended is the extension table. 0x0d is CR2, a control character, and 0x1b is kept for a further table.
	decodeExtended = map[byte]rune{
		0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
	}
	encodeBasic    = map[rune]byte{}
	encodeExtended = map[rune]byte{}
)

func init() {
	for i, r := range decodeBasic {
		if r != escape {
			encodeBasic[r] = byte(i)
		}
	}
	for b, r := range decodeExtended {
		encodeExtended[r] = b
	}
}

// Encode writes text in the alphabet, one septet in each byte; false: it holds
// something that is not in it.
func Encode(text string) ([]byte, bool) {
	septets := make([]byte, 0, len(text))
	for _, r := range text {
		if b, ok := encodeBasic[r]; ok {
			septets = append(septets, b)
		} else if b, ok := encodeExtended[r]; ok {
			septets = append(septets, escape, b)
		} else {
			return nil, false
		}
	}
	return septets, true
}

// Decode reads septets, one in each byte. It reads anything: after an escape a
// code that the extension table lacks means that of the default alphabet, and an escape that
// leads nowhere is a space, as 3GPP TS 23.038, section 6.2.1.1 asks of a receiver. The
// eighth bit is not looked at.
func Decode(septets []byte) string {
	var b strings.Builder
	for i := 0; i < len(septets); i++ {
		c := septets[i] & 0x7f
		if c != escape {
			b.WriteRune(decodeBasic[c])
			continue
		}
		i++
		if i == len(septets) {
			b.WriteByte(' ')
			break
		}
		c = septets[i] & 0x7f
		switch r, ok := decodeExtended[c]; {
		case ok:
			b.WriteRune(r)
		case c == escape:
			b.WriteByte(' ')
		default:
			b.WriteRune(decodeBasic[c])
		}
	}
	return b.String()
}

// EncodeUCS2 writes text as UTF-16, big endian. What is no Unicode becomes U+FFFD.
func EncodeUCS2(text string) []byte {
	var b []byte
	for _, r := range text {
		b = appendUTF16(b, r)
	}
	return b
}

// septets is how many a character takes; 0: it is not in the alphabet.
func septets(r rune) int {
	if _, ok := encodeBasic[r]; ok {
		return 1
	}
	if _, ok := encodeExtended[r]; ok {
		return 2
	}
	return 0
}

// fits says whether the alphabet has all of a text.
func fits(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || septets(r) == 0 {
			return false
		}
	}
	return true
}
