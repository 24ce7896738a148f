package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Errors that trying again does not mend.
var (
	// ErrUnauthenticated: the token is wrong, revoked or missing.
	ErrUnauthenticated = errors.New("token is not valid")
	// ErrDenied: the token lacks the scope.
	ErrDenied = errors.New("token lacks the scope")
	// ErrCursor: the hub cannot resume at this cursor. Begin with an empty one
	// (every event comes again) or from now (what lies between is missed).
	ErrCursor = errors.New("cursor cannot be resumed")
	// ErrRequest: the hub does not understand the request, such as a type it does not know.
	ErrRequest = errors.New("request was refused")
)

// Error is an answer of the hub that is no success.
type Error struct {
	Status  int    // of HTTP; 0 when it came inside of the stream
	Code    string // such as cursor_not_valid
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("hub answered %d %s: %s", e.Status, e.Code, e.Message)
}

// Unwrap is one of the package's errors, or nil for what may pass by itself.
func (e *Error) Unwrap() error {
	switch {
	case e.Code == "cursor_not_valid":
		return ErrCursor
	case e.Status == http.StatusUnauthorized:
		return ErrUnauthenticated
	case e.Status == http.StatusForbidden:
		return ErrDenied
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusRequestTimeout, e.Status >= 500:
		return nil
	}
	return ErrRequest
}

// readError makes an Error of a response.
func readError(res *http.Response) error {
	e := &Error{Status: res.StatusCode}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 4096)) // what is readable is enough
	var doc struct{ Code, Message string }
	if json.Unmarshal(b, &doc) == nil {
		e.Code, e.Message = doc.Code, doc.Message
	}
	if e.Message == "" {
		e.Message = http.StatusText(res.StatusCode)
	}
	return e
}

// handlerError carries the handler's own error through the retries.
type handlerError struct{ err error }

func (e handlerError) Error() string { return e.err.Error() }

// errFormat: the hub sent what is no event. It would send it again.
var errFormat = errors.New("hub sent an event that cannot be read")

func permanent(err error) bool {
	var h handlerError
	var e *Error
	return errors.As(err, &h) || errors.Is(err, errFormat) || errors.As(err, &e) && e.Unwrap() != nil
}

func unwrapHandler(err error) error {
	var h handlerError
	if errors.As(err, &h) {
		return h.err
	}
	return err
}
