package customer

import "fmt"

// FieldError: a value was out of its limits. The text is for the caller.
type FieldError struct {
	Field   string // as the API names it
	Problem string // names the limit
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// NotFoundError: there is no such conversation, message or reply here.
type NotFoundError struct{ What, ID string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %s not found", e.What, e.ID) }

// ChangedError refuses a reply: something was said since the author looked.
type ChangedError struct {
	Conversation string
	Version      int64 // the conversation's version now
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("conversation %s changed: version is %d now", e.Conversation, e.Version)
}

// TenureEndedError refuses to write to an address that is this customer's no more.
type TenureEndedError struct {
	Handle string
	Tenure int64
}

func (e *TenureEndedError) Error() string {
	return fmt.Sprintf("handle %s: tenure %d has ended, the address may be someone else's now", e.Handle, e.Tenure)
}

// RefusedError: the command does not fit what is; Reason is for the caller.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// RefutedError refuses to answer a sender who does not own the address he wrote in the name of.
type RefutedError struct {
	Message, Handle string
	// Evidence is what refutes it, in the adapter's words; it may name the
	// sender, so it is no part of the error's text.
	Evidence string
}

func (e *RefutedError) Error() string {
	return "the sender's address says that this message is not from there: whoever is answered may never have written. Write to the address in a new conversation, or send with to_refuted"
}

// StaleTenureError: the tenure the author knew is over. Read the handle again.
type StaleTenureError struct {
	Handle string
	Tenure int64
}

func (e *StaleTenureError) Error() string {
	return fmt.Sprintf("handle %s: tenure %d is stale", e.Handle, e.Tenure)
}

// ErasedError: the customer was erased. Nothing gets in any more; whose handle
// is meant is nobody's, or will be when it is released.
type ErasedError struct {
	Customer string
	EraseID  string
	// Order was carried out for him, and is all that is known of him: the other
	// two are empty then.
	Order string
}

func (e *ErasedError) Error() string {
	if e.Order != "" {
		return fmt.Sprintf("order %s was carried out for a customer who was erased", e.Order)
	}
	return fmt.Sprintf("customer %s was erased", e.Customer)
}

// MissingError: the conversation is not in the state. Fold the stream again
// with it pinned; without forgetting anything when it names none.
type MissingError struct{ Conversation string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("conversation %s is not in the state", e.Conversation)
}

// RecallError: the state remembers nothing up to Floor. Ask the timeline,
// once it has applied the stream up to there, whether the entry is known.
type RecallError struct {
	Entry string
	Floor uint64
}

func (e *RecallError) Error() string {
	return fmt.Sprintf("entry %s may be older than sequence %d", e.Entry, e.Floor)
}
