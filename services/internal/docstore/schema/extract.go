package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Row is what an engine stores next to a document's JSON.
type Row struct {
	Values []any    // by Table.Fields: string, int64, or nil when missing
	Text   []string // the text fields that are there, in the order of the document
}

// Extract checks a document's JSON and takes the declared fields out of it.
// Fields are read in Go and not by the database: one pass for all of them, and
// both engines see the same values.
func (t *Table) Extract(doc []byte) (Row, error) {
	if len(doc) > docstore.MaxDocument {
		return Row{}, fmt.Errorf("json: %d bytes, at most %d are allowed", len(doc), docstore.MaxDocument)
	}
	if !json.Valid(doc) || !utf8.Valid(doc) {
		return Row{}, fmt.Errorf("json: not valid")
	}
	s := scanner{b: doc}
	if !s.open() {
		return Row{}, fmt.Errorf("json: must be an object")
	}
	row := Row{Values: make([]any, len(t.Fields))}
	for {
		key, val, ok := s.next()
		if !ok {
			return row, nil
		}
		i, indexed := t.fields[string(key)]
		text := t.text[string(key)]
		if !indexed && !text {
			continue
		}
		v, err := scalar(val)
		if err != nil {
			return Row{}, fmt.Errorf("field %q: %w", key, err)
		}
		if indexed {
			row.Values[i] = v
		}
		if text && v != nil {
			str, ok := v.(string)
			if !ok {
				return Row{}, fmt.Errorf("field %q: is searched, so it must be a string", key)
			}
			row.Text = append(row.Text, str)
		}
	}
}

func scalar(raw []byte) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't':
		return int64(1), nil
	case 'f':
		return int64(0), nil
	case '"':
		return text(raw)
	case '{', '[':
		return nil, fmt.Errorf("is indexed, so it must be a string, an integer or a bool")
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("number %.40s is no 64-bit integer", raw)
	}
	return n, nil
}

func text(raw []byte) (string, error) {
	for _, c := range raw {
		if c == '\\' {
			var s string
			err := json.Unmarshal(raw, &s)
			return s, err
		}
	}
	return string(raw[1 : len(raw)-1]), nil
}

// Value brings a query's value to the form of stored ones.
func Value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	}
	return nil, fmt.Errorf("a value of type %T: string, int64 or bool is allowed", v)
}

// CheckID checks a document id.
func CheckID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("id: empty")
	case len(id) > docstore.MaxID:
		return fmt.Errorf("id: %d bytes, at most %d are allowed", len(id), docstore.MaxID)
	case !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0:
		return fmt.Errorf("id: must be UTF-8 without NUL")
	}
	return nil
}

// CheckOp checks everything of an operation but its JSON, and returns it with
// Doc.Seq filled in where IfRev implies it.
func CheckOp(op docstore.Op) (docstore.Op, error) {
	if err := CheckID(op.Doc.ID); err != nil {
		return op, err
	}
	switch {
	case op.Doc.Seq > math.MaxInt64 || op.IfRev >= math.MaxInt64:
		return op, fmt.Errorf("seq: at most %d is allowed", int64(math.MaxInt64))
	case op.Create && (op.Delete || op.IfRev > 0):
		return op, fmt.Errorf("create: cannot go together with delete or a revision")
	case op.IfRev > 0 && op.Doc.Seq != 0 && op.Doc.Seq <= op.IfRev:
		return op, fmt.Errorf("seq: %d must be greater than the revision asked for, %d", op.Doc.Seq, op.IfRev)
	}
	if op.IfRev > 0 && op.Doc.Seq == 0 && !op.Delete {
		op.Doc.Seq = op.IfRev + 1
	}
	return op, nil
}
