package natsbus

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Permanent marks an error that trying again cannot help: the message goes to
// POISON at once. An error of another package says the same with a method
// Permanent() bool.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string   { return e.err.Error() }
func (e *permanentError) Unwrap() error   { return e.err }
func (e *permanentError) Permanent() bool { return true }

// Later marks an error whose cause is expected to be over after d. The lane
// waits that long instead of its own backoff, and the attempt does not count
// towards MaxAttempts. An error of another package says the same with a method
// RetryAfter() time.Duration.
func Later(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &laterError{d, err}
}

type laterError struct {
	after time.Duration
	err   error
}

func (e *laterError) Error() string             { return e.err.Error() }
func (e *laterError) Unwrap() error             { return e.err }
func (e *laterError) RetryAfter() time.Duration { return e.after }

func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

func retryAfter(err error) (time.Duration, bool) {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return r.RetryAfter(), true
	}
	return 0, false
}

// verdict is what a lane does after a failed attempt.
type verdict struct {
	poison  bool
	wait    time.Duration
	counted bool // the attempt counts towards MaxAttempts
}

// judge decides after a failed attempt. counted is the number of failed
// attempts that count so far, since the time since the first one began.
func (c SubscriberConfig) judge(err error, counted int, since time.Duration) verdict {
	if isPermanent(err) {
		return verdict{poison: true}
	}
	if c.MaxElapsed > 0 && since >= c.MaxElapsed {
		return verdict{poison: true}
	}
	if d, ok := retryAfter(err); ok {
		return verdict{wait: max(d, 0)}
	}
	if c.MaxAttempts > 0 && counted+1 >= c.MaxAttempts {
		return verdict{poison: true, counted: true}
	}
	return verdict{wait: backoff(c.MinBackoff, c.MaxBackoff, counted), counted: true}
}

// backoff doubles from lo to hi, with up to a quarter off so that lanes that
// failed together do not come back together.
func backoff(lo, hi time.Duration, n int) time.Duration {
	d := hi
	if n < 30 && lo<<n > 0 && lo<<n < hi {
		d = lo << n
	}
	return d - rand.N(d/4+1)
}
