package handle

import "fmt"

// StaleError: the handle is not, or no more, what the author believed.
type StaleError struct {
	Handle string
	Owner  string // now; "" when nobody owns it
	Tenure int64
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("handle %s: tenure is %d now", e.Handle, e.Tenure)
}

// StartedError: the order was carried out before, for somebody who was erased since.
type StartedError struct{ Handle, Order string }

func (e *StartedError) Error() string {
	return fmt.Sprintf("order %s was carried out over handle %s for somebody who was erased", e.Order, e.Handle)
}

// FieldError: a value was out of its limits. The text is for the caller.
type FieldError struct {
	Field   string // as the API names it
	Problem string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }
