package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Command is a command_id (section 5.1.2.1).
type Command uint32

// The commands. A response has the request's number with the highest bit set.
const (
	GenericNack         Command = 0x80000000
	BindReceiver        Command = 0x00000001
	BindTransmitter     Command = 0x00000002
	SubmitSM            Command = 0x00000004
	DeliverSM           Command = 0x00000005
	Unbind              Command = 0x00000006
	BindTransceiver     Command = 0x00000009
	EnquireLink         Command = 0x00000015
	AlertNotification   Command = 0x00000102
	response            Command = 0x80000000
	BindReceiverResp            = BindReceiver | response
	BindTransmitterResp         = BindTransmitter | response
	BindTransceiverResp         = BindTransceiver | response
	SubmitSMResp                = SubmitSM | response
	DeliverSMResp               = DeliverSM | response
	UnbindResp                  = Unbind | response
	EnquireLinkResp             = EnquireLink | response
)

// IsResponse says whether it answers a request.
func (c Command) IsResponse() bool { return c&response != 0 }

// Response is the command that answers.
func (c Command) Response() Command { return c | response }

// headerLength is that of every PDU; maxPDU is more than any message with a payload of 64 KiB needs.
const (
	headerLength = 16
	maxPDU       = 70_000
)

// PDU is a protocol data unit as it crosses the wire.
type PDU struct {
	Command Command
	Status  Status
	Seq     uint32
	Body    []byte
}

// ErrPDU: what came is no PDU. The two sides are not in step any more, and only a new connection helps.
var ErrPDU = errors.New("not a PDU")

// Read reads the next PDU.
func Read(r io.Reader) (PDU, error) {
	var head [headerLength]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return PDU{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < headerLength || n > maxPDU {
		return PDU{}, fmt.Errorf("%w: its length is %d", ErrPDU, n)
	}
	p := PDU{
		Command: Command(binary.BigEndian.Uint32(head[4:])), Status: Status(binary.BigEndian.Uint32(head[8:])),
		Seq: binary.BigEndian.Uint32(head[12:]), Body: make([]byte, n-headerLength),
	}
	if _, err := io.ReadFull(r, p.Body); err != nil {
		return PDU{}, noEOF(err)
	}
	return p, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Bytes is the PDU with its header.
func (p PDU) Bytes() []byte {
	b := make([]byte, 0, headerLength+len(p.Body))
	b = binary.BigEndian.AppendUint32(b, uint32(headerLength+len(p.Body))) //nolint:gosec // bodies are small
	b = binary.BigEndian.AppendUint32(b, uint32(p.Command))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Status))
	b = binary.BigEndian.AppendUint32(b, p.Seq)
	return append(b, p.Body...)
}
