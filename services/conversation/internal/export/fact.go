package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// fact is one thing an event says, for reading.
type fact struct{ Name, Value string }

// zeroTime is a time that nobody set, as JSON has it.
const zeroTime = "0001-01-01T00:00:00Z"

// facts are what data says, in its own order, as the file for machines has it: the
// names in words, texts as they are, lists with commas, and what is nested as
// JSON. What is empty says nothing.
func facts(data any) ([]fact, error) {
	if data == nil {
		return nil, nil
	}
	whole, err := seal.Marshal(data) // <, > and & as they are: the page escapes them itself
	if err != nil {
		return nil, fmt.Errorf("show what is exported: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(whole))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, err // all events are objects
	}
	var out []fact
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("show what is exported: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("show what is exported: %w", err)
		}
		if s := words(value); s != "" {
			out = append(out, fact{strings.ReplaceAll(fmt.Sprint(name), "_", " "), s})
		}
	}
	return out, nil
}

// words is a value for reading, "" when it says nothing.
func words(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		if text == zeroTime {
			return ""
		}
		return text // null is "" too
	}
	var list []string
	if json.Unmarshal(value, &list) == nil {
		return strings.Join(list, ", ")
	}
	switch s := string(value); s {
	case "false", "{}", "[]":
		return ""
	case "true":
		return "yes"
	default:
		return s
	}
}
