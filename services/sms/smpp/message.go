package smpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Bits of esm_class (section 5.2.12).
const (
	ESMReceipt = 0x04 // in deliver_sm: a delivery receipt
	esmKind    = 0x3c
	ESMHeader  = 0x40 // the message begins with a user data header
)

// Tags of optional parameters (section 5.3.2).
const (
	TagReceiptedID    = 0x001e
	TagUserReference  = 0x0204
	TagConcatRef      = 0x020c
	TagConcatTotal    = 0x020e
	TagConcatPart     = 0x020f
	TagNetworkError   = 0x0423
	TagMessagePayload = 0x0424
	TagMessageState   = 0x0427
)

// Address of either end. TON and NPI are of sections 5.2.5 and 5.2.6.
type Address struct {
	TON, NPI byte
	Addr     string // at most 20 characters
}

// Kinds of numbers.
const (
	TONUnknown       = 0
	TONInternational = 1
	TONNational      = 2
	TONNetwork       = 3
	TONAlphanumeric  = 5
)

// Message is the body of submit_sm and deliver_sm, which are the same (sections 4.4.1 and 4.6.1).
type Message struct {
	ServiceType  string
	Source, Dest Address
	ESMClass     byte
	Protocol     byte
	Priority     byte
	Schedule     string
	Validity     string
	Registered   byte // 1: a receipt is wanted
	Replace      byte
	DataCoding   byte
	DefaultID    byte
	Short        []byte // at most 254 bytes
	Optional     []Optional
}

// Optional is an optional parameter (TLV).
type Optional struct {
	Tag   uint16
	Value []byte
}

// Find is an optional parameter's value.
func (m Message) Find(tag uint16) ([]byte, bool) {
	for _, o := range m.Optional {
		if o.Tag == tag {
			return o.Value, true
		}
	}
	return nil, false
}

// Payload is what was said: the short message, or the parameter message_payload where that is empty.
func (m Message) Payload() []byte {
	if v, ok := m.Find(TagMessagePayload); ok && len(m.Short) == 0 {
		return v
	}
	return m.Short
}

// IsReceipt says whether it is about a message of ours. SMSCs do not agree on
// the bit, so a receipted id with a state is one, too.
func (m Message) IsReceipt() bool {
	if m.ESMClass&esmKind == ESMReceipt {
		return true
	}
	_, id := m.Find(TagReceiptedID)
	_, state := m.Find(TagMessageState)
	return id && state
}

// ErrTooLong: an address or a message is longer than the protocol allows.
var ErrTooLong = errors.New("longer than SMPP allows")

// Encode writes the body.
func (m Message) Encode() ([]byte, error) {
	switch {
	case len(m.Source.Addr) > 20 || len(m.Dest.Addr) > 20:
		return nil, fmt.Errorf("address: %w: 20 characters", ErrTooLong)
	case len(m.Short) > 254:
		return nil, fmt.Errorf("short_message: %w: 254 bytes", ErrTooLong)
	}
	var b []byte
	text := func(s string) { b = append(append(b, s...), 0) }
	text(m.ServiceType)
	for _, a := range []Address{m.Source, m.Dest} {
		b = append(b, a.TON, a.NPI)
		text(a.Addr)
	}
	b = append(b, m.ESMClass, m.Protocol, m.Priority)
	text(m.Schedule)
	text(m.Validity)
	b = append(b, m.Registered, m.Replace, m.DataCoding, m.DefaultID, byte(len(m.Short)))
	b = append(b, m.Short...)
	for _, o := range m.Optional {
		if len(o.Value) > 0xffff {
			return nil, fmt.Errorf("optional parameter %#04x: %w", o.Tag, ErrTooLong)
		}
		b = binary.BigEndian.AppendUint16(b, o.Tag)
		b = binary.BigEndian.AppendUint16(b, uint16(len(o.Value)))
		b = append(b, o.Value...)
	}
	return b, nil
}

var errBody = errors.New("the body of the PDU is cut off")

// Decode reads the body of a submit_sm or deliver_sm.
func Decode(b []byte) (m Message, err error) {
	r := reader{b: b}
	m.ServiceType = r.text(6)
	for _, a := range []*Address{&m.Source, &m.Dest} {
		a.TON, a.NPI = r.byte(), r.byte()
		a.Addr = r.text(21)
	}
	m.ESMClass, m.Protocol, m.Priority = r.byte(), r.byte(), r.byte()
	m.Schedule, m.Validity = r.text(17), r.text(17)
	m.Registered, m.Replace, m.DataCoding, m.DefaultID = r.byte(), r.byte(), r.byte(), r.byte()
	m.Short = r.take(int(r.byte()))
	m.Optional = r.optional()
	if r.bad {
		return m, errBody
	}
	return m, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.take(1); len(v) == 1 {
		return v[0]
	}
	return 0
}

// text reads up to a NUL. Some SMSCs write more than the specification's length; that harms nobody up to a point.
func (r *reader) text(limit int) string {
	i := bytes.IndexByte(r.b, 0)
	if i < 0 || i > limit+64 {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:i])
	r.b = r.b[i+1:]
	return s
}

// optional reads parameters up to the end. What follows the last sound one is
// left out: SMSCs pad, and the message is there already.
func (r *reader) optional() (list []Optional) {
	for len(r.b) >= 4 {
		tag, n := binary.BigEndian.Uint16(r.b), int(binary.BigEndian.Uint16(r.b[2:]))
		if len(r.b) < 4+n {
			break
		}
		list = append(list, Optional{tag, r.b[4 : 4+n : 4+n]})
		r.b = r.b[4+n:]
	}
	return list
}
