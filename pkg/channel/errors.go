package channel

import (
	"errors"
	"fmt"
	"time"
)

// RetryAfterError is a temporary failure whose provider named a delay.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

func (e *RetryAfterError) Error() string { return fmt.Sprintf("retry after %s: %v", e.After, e.Err) }
func (e *RetryAfterError) Unwrap() error { return e.Err }

// ErrNeedsAttention marks an inbox that cannot work until a person acts
// (wrong password, expired token). Inputs wait; nothing is lost.
var ErrNeedsAttention = errors.New("needs attention")

// ErrGone: the provider does not have it any more.
var ErrGone = errors.New("gone")

// ErrNoTemplates: an inbox has no templates with the settings it has.
var ErrNoTemplates = errors.New("no templates")
