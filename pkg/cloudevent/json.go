package cloudevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// reserved are the names that cannot be extensions.
var reserved = map[string]bool{
	"specversion": true, "id": true, "source": true, "type": true, "subject": true, "time": true,
	"datacontenttype": true, "dataschema": true, "data": true, "data_base64": true,
}

// MarshalJSON writes the attributes in the order of the specification, then
// extensions by name, then data: equal events are equal bytes, without line breaks.
func (e Event) MarshalJSON() ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	add := func(name, value string) {
		if value == "" {
			return
		}
		sep := byte(',')
		if b.Len() == 0 {
			sep = '{'
		}
		b.WriteByte(sep)
		b.WriteString(`"` + name + `":`)
		v, _ := json.Marshal(value) // a string never fails
		b.Write(v)
	}
	add("specversion", specVersion)
	add("id", e.ID)
	add("source", e.Source)
	add("type", e.Type)
	add("subject", e.Subject)
	if !e.Time.IsZero() {
		add("time", e.Time.UTC().Format(time.RFC3339Nano))
	}
	add("datacontenttype", e.DataContentType)
	add("dataschema", e.DataSchema)
	for _, name := range slices.Sorted(maps.Keys(e.Extensions)) {
		add(name, e.Extensions[name])
	}
	if e.Data != nil {
		b.WriteString(`,"data":`)
		if err := json.Compact(&b, e.Data); err != nil {
			return nil, fmt.Errorf("encode data of event: %w", err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an event and validates it. Binary data (data_base64) and
// other versions of the specification are refused.
func (e *Event) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	var out Event
	version, stamp := "", ""
	text := map[string]*string{
		"specversion": &version, "id": &out.ID, "source": &out.Source, "type": &out.Type, "subject": &out.Subject,
		"time": &stamp, "datacontenttype": &out.DataContentType, "dataschema": &out.DataSchema,
	}
	for name, v := range raw {
		switch {
		case name == "data":
			out.Data = v
		case string(v) == "null":
		case name == "data_base64":
			return errors.New("decode event: data_base64 is not supported")
		case text[name] != nil:
			if err := json.Unmarshal(v, text[name]); err != nil {
				return fmt.Errorf("decode event: %s: %w", name, err)
			}
		default:
			s, err := scalar(v)
			if err != nil {
				return fmt.Errorf("decode event: extension %q: %w", name, err)
			}
			if out.Extensions == nil {
				out.Extensions = map[string]string{}
			}
			out.Extensions[name] = s
		}
	}
	if version != specVersion {
		return fmt.Errorf("decode event: specversion is %q, want %s", version, specVersion)
	}
	if stamp != "" {
		t, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			return fmt.Errorf("decode event: time: %w", err)
		}
		out.Time = t.UTC()
	}
	if err := out.Validate(); err != nil {
		return err
	}
	*e = out
	return nil
}

func scalar(v json.RawMessage) (string, error) {
	switch v[0] {
	case '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err
	case '{', '[':
		return "", errors.New("want a string, a number or a boolean")
	}
	return string(v), nil
}
