// Package gsm is what a short message is made of: the GSM 7-bit default alphabet
// with its extension table (3GPP TS 23.038, section 6.2), UCS-2 as everybody sends
// it, which is UTF-16 big endian, and how a longer text is cut into
// parts that name each other (3GPP TS 23.040, section 9.2.3.24.1).
//
//	alphabet   one message   each of several
//	GSM 7-bit  160 septets   153 septets, with a header of 6 bytes
//	UCS-2       70 units      67 units
//
// The shift tables of national languages are neither written nor read: no
// gateway known to us lets a client choose them.
package gsm
