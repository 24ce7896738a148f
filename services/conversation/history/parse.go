package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// LimitLine is how long a line may be, in bytes.
const LimitLine = 64 << 20

// FieldError: a field of a record is not what it may be.
type FieldError struct {
	Field   string
	Problem string // names the limit
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

func bad(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// ParseHeader reads the first line.
func ParseHeader(line []byte) (Header, error) {
	var h Header
	if err := strict(line, &h, "the first line"); err != nil {
		return h, err
	}
	if h.Version != Version {
		return h, bad("weftline_import", "is %d; this hub reads version %d", h.Version, Version)
	}
	if !token(h.Source) {
		return h, bad("source", "must be 1 to 64 of a-z A-Z 0-9 _ -")
	}
	return h, nil
}

// Parse reads a record and checks its fields, each by itself. Unknown fields
// are an error: a misspelt one that is silently left out would be lost.
func Parse(line []byte) (Record, error) {
	var r Record
	typ, fields, err := typeOf(line)
	if err != nil {
		return r, err
	}
	var into interface{ check() error }
	switch typ {
	case TypeCustomer:
		r.Customer = &Customer{}
		into = r.Customer
	case TypeConversation:
		r.Conversation = &Conversation{}
		into = r.Conversation
	case TypeMessage:
		r.Message = &Message{}
		into = r.Message
	case TypeNote:
		r.Note = &Note{}
		into = r.Note
	case TypeEvent:
		r.Event = &Event{}
		into = r.Event
	case TypeLink:
		r.Link = &Link{}
		into = r.Link
	case TypeProblem:
		r.Problem = &Problem{}
		into = r.Problem
	default:
		return r, bad("type", "%.40q is not customer, conversation, message, note, event or link", typ)
	}
	if err := strict(fields, into, "a "+typ); err != nil {
		return r, err
	}
	r.tidy()
	return r, into.check()
}

// OriginOf is where the source had the record; empty when it does not say.
func (r Record) OriginOf() string {
	switch {
	case r.Customer != nil:
		return r.Customer.Origin.Origin
	case r.Conversation != nil:
		return r.Conversation.Origin.Origin
	case r.Message != nil:
		return r.Message.Origin.Origin
	case r.Note != nil:
		return r.Note.Origin.Origin
	case r.Event != nil:
		return r.Event.Origin.Origin
	case r.Link != nil:
		return r.Link.Origin.Origin
	case r.Problem != nil:
		return r.Problem.Origin.Origin
	}
	return ""
}

// Line is the record as a line of a file, with its end.
func (r Record) Line() ([]byte, error) {
	var v any
	var typ string
	switch {
	case r.Customer != nil:
		typ, v = TypeCustomer, r.Customer
	case r.Conversation != nil:
		typ, v = TypeConversation, r.Conversation
	case r.Message != nil:
		typ, v = TypeMessage, r.Message
	case r.Note != nil:
		typ, v = TypeNote, r.Note
	case r.Event != nil:
		typ, v = TypeEvent, r.Event
	case r.Link != nil:
		typ, v = TypeLink, r.Link
	case r.Problem != nil:
		typ, v = TypeProblem, r.Problem
	default:
		return nil, errors.New("record is empty")
	}
	var b bytes.Buffer
	b.WriteString(`{"type":"` + typ + `",`)
	e := json.NewEncoder(&rest{w: &b})
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write a %s: %w", typ, err)
	}
	return b.Bytes(), nil
}

// rest leaves out the brace that begins an object: every record has a field.
type rest struct {
	w     io.Writer
	begun bool
}

func (r *rest) Write(p []byte) (int, error) {
	if r.begun || len(p) == 0 {
		return r.w.Write(p)
	}
	r.begun = true
	n, err := r.w.Write(p[1:])
	return n + 1, err
}

// typeOf takes the type out of an object. Keeping the rest as it is lets the
// decoder of the type say what it does not know.
func typeOf(line []byte) (typ string, fields []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", nil, errors.New("is no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", nil, syntax(err)
		}
		begin := d.InputOffset()
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return "", nil, syntax(err)
		}
		if name != "type" {
			continue
		}
		if err := json.Unmarshal(v, &typ); err != nil {
			return "", nil, bad("type", "must be a string")
		}
		// Blank it: `"type"  :  "note" ,` becomes spaces up to the comma.
		out := bytes.Clone(line)
		from := bytes.LastIndex(out[:begin], []byte(`"type"`))
		if from < 0 {
			return "", nil, bad("type", "must be written as it is")
		}
		to := int(d.InputOffset())
		for i := from; i < to; i++ {
			out[i] = ' '
		}
		cutComma(out, from, to)
		return typ, out, nil
	}
	return "", nil, bad("type", "is missing")
}

// cutComma takes out the comma behind what was blanked, or the one before it.
func cutComma(b []byte, from, to int) {
	for i := to; i < len(b) && strings.IndexByte(" \t\r\n,", b[i]) >= 0; i++ {
		if b[i] == ',' {
			b[i] = ' '
			return
		}
	}
	for i := from - 1; i >= 0 && strings.IndexByte(" \t\r\n,", b[i]) >= 0; i-- {
		if b[i] == ',' {
			b[i] = ' '
			return
		}
	}
}

func strict(line []byte, v any, what string) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return explain(err, what)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("has something behind its object")
	}
	return nil
}

func explain(err error, what string) error {
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return bad(strings.Trim(name, `"`), "is no field of %s", what)
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bad(t.Field, "must be a %s", t.Type)
	}
	return syntax(err)
}

func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("is cut off")
	}
	return fmt.Errorf("is no JSON: %w", err)
}
