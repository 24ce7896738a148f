package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// fault says in our words what is wrong with which field of an event that is no
// Event: the library's name no fields, and types of Go.
func fault(body []byte, err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fmt.Errorf("%s: is a JSON %s, which it cannot be", wrong.Field, wrong.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("body: is not JSON from byte %d on", syntax.Offset)
	}
	var e struct {
		At    json.RawMessage `json:"at"`
		Files []struct {
			Data json.RawMessage `json:"data"`
		} `json:"files"`
	}
	if json.Unmarshal(body, &e) != nil {
		return errors.New("body: is not one JSON object")
	}
	if at := (time.Time{}); len(e.At) > 0 && json.Unmarshal(e.At, &at) != nil {
		return errors.New("at: is not a time as RFC 3339 writes it, such as 2026-11-03T12:00:00Z")
	}
	for i, f := range e.Files {
		if data := []byte(nil); len(f.Data) > 0 && json.Unmarshal(f.Data, &data) != nil {
			return fmt.Errorf("files[%d].data: is not base64 with padding (RFC 4648 section 4)", i)
		}
	}
	return fmt.Errorf("body: %w", err)
}
