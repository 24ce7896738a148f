package smpp

// interfaceVersion is SMPP 3.4's.
const interfaceVersion = 0x34

// Login is what a bind says (section 4.1).
type Login struct {
	SystemID, Password, SystemType, AddressRange string
}

func (l Login) encode() []byte {
	var b []byte
	for _, s := range []string{l.SystemID, l.Password, l.SystemType} {
		b = append(append(b, s...), 0)
	}
	b = append(b, interfaceVersion, TONUnknown, 0)
	return append(append(b, l.AddressRange...), 0)
}

// DecodeLogin reads the body of a bind, for a server.
func DecodeLogin(b []byte) (l Login, err error) {
	r := reader{b: b}
	l.SystemID, l.Password, l.SystemType = r.text(16), r.text(9), r.text(13)
	r.take(3)
	l.AddressRange = r.text(41)
	if r.bad {
		return l, errBody
	}
	return l, nil
}

// id reads a message id or system id: the whole body of many responses.
func id(b []byte) string {
	r := reader{b: b}
	return r.text(65)
}
