package gsm

// Pack puts septets into bytes, eight into seven, beginning after fill bits (0
// to 6): a user data header is padded to a whole septet so.
func Pack(septets []byte, fill int) []byte {
	out := make([]byte, (len(septets)*7+fill+7)/8)
	for i, s := range septets {
		bit := i*7 + fill
		v := uint16(s&0x7f) << (bit % 8)
		out[bit/8] |= byte(v)
		if v > 0xff {
			out[bit/8+1] |= byte(v >> 8)
		}
	}
	return out
}

// Unpack takes n septets out of bytes, as many as there are. How many were
// meant has to be known: seven bytes hold eight septets, or seven and a rest of
// zeroes, which would be an @.
func Unpack(b []byte, n, fill int) []byte {
	n = min(n, (len(b)*8-fill)/7)
	if n <= 0 {
		return nil
	}
	out := make([]byte, n)
	for i := range out {
		bit := i*7 + fill
		v := uint16(b[bit/8])
		if bit/8+1 < len(b) {
			v |= uint16(b[bit/8+1]) << 8
		}
		out[i] = byte(v>>(bit%8)) & 0x7f
	}
	return out
}
