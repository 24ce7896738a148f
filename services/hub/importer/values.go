package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// eachObject finds the objects of a file of JSON: one value or many, one behind
// another or a line each; lists and pages ("payload", "data", …) are opened.
func eachObject(r io.Reader, pages []string, fn func(where string, object json.RawMessage, fields map[string]json.RawMessage) error) error {
	d := json.NewDecoder(r)
	d.UseNumber()
	for n := 1; ; n++ {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("value %d: is no JSON: %w", n, err)
		}
		if err := open(fmt.Sprintf("value %d", n), v, pages, fn); err != nil {
			return err
		}
	}
}

func open(where string, v json.RawMessage, pages []string, fn func(string, json.RawMessage, map[string]json.RawMessage) error) error {
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		for i, e := range list {
			if err := open(fmt.Sprintf("%s.%d", where, i), e, pages, fn); err != nil {
				return err
			}
		}
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(v, &fields); err != nil || fields == nil {
		return fmt.Errorf("%s: is neither an object nor a list", where)
	}
	page := false
	if _, own := fields["id"]; !own {
		for _, name := range pages {
			if p, ok := fields[name]; ok && string(p) != "null" {
				page = true
				if err := open(where+"."+name, p, pages, fn); err != nil {
					return err
				}
			}
		}
	}
	if page {
		return nil
	}
	return fn(where, v, fields)
}

// ident is an id that is a number here and a string there.
type ident string

func (i *ident) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		return nil
	}
	if strings.HasPrefix(s, `"`) {
		var v string
		err := json.Unmarshal(b, &v)
		*i = ident(v)
		return err
	}
	if _, err := strconv.ParseInt(s, 10, 64); err != nil {
		return fmt.Errorf("%.40q is no id", s)
	}
	*i = ident(s)
	return nil
}

// moment is a time as seconds since 1970 or in ISO 8601.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" || s == "" {
		return nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		m.Time = time.UnixMicro(int64(f * 1e6)).UTC()
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return fmt.Errorf("%.40q is no time", s)
}

// word makes one token of a name.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, s)
	return s[:min(len(s), 64)]
}
