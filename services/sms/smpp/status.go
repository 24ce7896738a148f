package smpp

import "fmt"

// Status is a command_status (section 5.1.3).
type Status uint32

// Those that are told apart.
const (
	OK            Status = 0x00
	InvalidLength Status = 0x02
	InvalidCmd    Status = 0x03
	BadBindState  Status = 0x04
	AlreadyBound  Status = 0x05
	SystemError   Status = 0x08
	InvalidSource Status = 0x0a
	InvalidDest   Status = 0x0b
	BindFailed    Status = 0x0d
	BadPassword   Status = 0x0e
	BadSystemID   Status = 0x0f
	QueueFull     Status = 0x14
	SubmitFailed  Status = 0x45
	Throttled     Status = 0x58
	TemporaryApp  Status = 0x64
	PermanentApp  Status = 0x65
	RejectedApp   Status = 0x66
)

var words = map[Status]string{
	OK: "ok", 0x01: "message length is invalid", InvalidLength: "command length is invalid", InvalidCmd: "command is not known",
	BadBindState: "not bound for this", AlreadyBound: "already bound", SystemError: "system error", InvalidSource: "source address is invalid",
	InvalidDest: "destination address is invalid", BindFailed: "bind failed", BadPassword: "password is wrong", BadSystemID: "system id is wrong",
	QueueFull: "message queue is full", SubmitFailed: "submit failed", Throttled: "too many messages", 0x48: "source TON is invalid", 0x50: "destination TON is invalid",
	TemporaryApp: "temporary trouble at the receiver", PermanentApp: "permanent trouble at the receiver", RejectedApp: "rejected by the receiver", 0xff: "unknown error",
}

func (s Status) String() string {
	if w := words[s]; w != "" {
		return fmt.Sprintf("%s (0x%02x)", w, uint32(s))
	}
	return fmt.Sprintf("status 0x%02x", uint32(s))
}

// Wait: the SMSC takes no more now. Nothing was taken.
func (s Status) Wait() bool { return s == Throttled || s == QueueFull }

// Temporary: it may work later. Nothing was taken.
func (s Status) Temporary() bool {
	return s.Wait() || s == SystemError || s == TemporaryApp || s == BadBindState || s == AlreadyBound
}

// Credentials: the login is refused.
func (s Status) Credentials() bool { return s == BindFailed || s == BadPassword || s == BadSystemID }

// StatusError is an answer that is not OK.
type StatusError struct {
	Command Command
	Status  Status
}

func (e *StatusError) Error() string { return "SMSC answers: " + e.Status.String() }
