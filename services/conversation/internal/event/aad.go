package event

import "strconv"

// The additional data of every sealed field: writer and readers must agree for
// ever, so it is spelled here only. It names the thing, not the commit: a
// ciphertext moved to another message, note or handle does not open.

// MessageAAD binds MessageReceived.Body (JSON of MessageBody).
func MessageAAD(message string) []byte { return []byte("message/" + message + "/body") }

// ChangeAAD binds MessageChanged.Body (JSON of ChangeBody).
func ChangeAAD(change string) []byte { return []byte("change/" + change + "/body") }

// ConsentAAD binds ConsentSet.Reason (plain UTF-8).
func ConsentAAD(customer, handle, inbox string) []byte {
	return []byte("customer/" + customer + "/consent/" + handle + "/" + inbox)
}

// ReplyAAD binds ReplyRequested.Body (JSON of ReplyBody).
func ReplyAAD(reply string) []byte { return []byte("reply/" + reply + "/body") }

// DetailAAD binds ReplyProgressed.Detail (plain UTF-8). An empty Sealed (no Box) means no detail.
func DetailAAD(reply string) []byte { return []byte("reply/" + reply + "/detail") }

// SubjectAAD binds ConversationOpened.Subject (plain UTF-8). An empty Sealed means no subject.
func SubjectAAD(conversation string) []byte {
	return []byte("conversation/" + conversation + "/subject")
}

// NoteAAD binds NoteAdded.Body (JSON of NoteBody).
func NoteAAD(note string) []byte { return []byte("note/" + note + "/body") }

// AttributeAAD binds AttributeSet.Value (plain UTF-8).
func AttributeAAD(customer, name string) []byte {
	return []byte("customer/" + customer + "/attribute/" + name)
}

// AddressAAD binds the Address of HandleClaimed and HandleMoved (JSON of Address).
func AddressAAD(handle string, tenure int64) []byte {
	return []byte("handle/" + handle + "/" + strconv.FormatInt(tenure, 10) + "/address")
}

// AssertionAAD binds HandleAsserted.Address (JSON of Address).
func AssertionAAD(message, handle string) []byte {
	return []byte("message/" + message + "/asserts/" + handle)
}

// EventAAD binds EventRecorded.Body (JSON of EventBody).
func EventAAD(event string) []byte { return []byte("event/" + event + "/body") }

// HoldAAD binds HoldPlaced.Reason (plain UTF-8).
func HoldAAD(hold string) []byte { return []byte("hold/" + hold + "/reason") }
