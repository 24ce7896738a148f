// Package catalogue makes docs/events.md out of the comments of event.proto, so
// that the page cannot say anything else than the contract.
package catalogue

import (
	"bufio"
	"fmt"
	"regexp"
	"strings"
)

// Message is one message of the file, as it is written there.
type Message struct {
	Name   string
	Doc    string
	Fields []Field
}

// Field of a message. Type is as in the file, such as "repeated string".
type Field struct {
	Type, Name, Doc string
}

// Event says whether the message is an event of its own, and not only a part of some.
func (m Message) Event() bool {
	for _, f := range m.Fields {
		if f.Name == "customer_id" {
			return true
		}
	}
	return false
}

var (
	messageLine = regexp.MustCompile(`^message (\w+) \{(\})?$`)
	fieldLine   = regexp.MustCompile(`^((?:repeated )?[\w.]+) (\w+) = \d+;$`)
)

// Parse reads the messages of a protobuf file that is formatted by buf and has
// plain top-level messages only; anything else is an error that names the line.
func Parse(proto string) ([]Message, error) {
	var out []Message
	var doc []string
	inside := false
	in := bufio.NewScanner(strings.NewReader(proto))
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		switch {
		case strings.HasPrefix(line, "//"):
			doc = append(doc, strings.TrimSpace(strings.TrimPrefix(line, "//")))
			continue
		case line == "":
		case !inside && messageLine.MatchString(line):
			m := messageLine.FindStringSubmatch(line)
			out = append(out, Message{Name: m[1], Doc: strings.Join(doc, " ")})
			inside = m[2] == ""
		case inside && line == "}":
			inside = false
		case inside && fieldLine.MatchString(line):
			f := fieldLine.FindStringSubmatch(line)
			m := &out[len(out)-1]
			m.Fields = append(m.Fields, Field{Type: f[1], Name: f[2], Doc: strings.Join(doc, " ")})
		case !inside && (strings.HasPrefix(line, "syntax ") || strings.HasPrefix(line, "package ") || strings.HasPrefix(line, "import ")):
		default:
			return nil, fmt.Errorf("line %d of the protobuf file is not understood: %s", n, line)
		}
		doc = nil
	}
	if inside {
		return nil, fmt.Errorf("message %s does not end", out[len(out)-1].Name)
	}
	return out, in.Err()
}
