package eventstore

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// split reads the stored form as Encode writes it: fields in this order, no
// white space, no escapes outside of records' data. It gives up (false) at
// anything else, for encoding/json to read or refuse. The data of records is not
// looked into: whoever decodes an event does, and Encode did. Folds and rebuilds
// read millions of commits, and encoding/json goes over each byte four times.
func split(body []byte) (c Commit, ok bool) {
	s := splitter{rest: body}
	s.skip(`{"id":`)
	c.ID = s.text()
	s.skip(`,"at":`)
	if err := c.RecordedAt.UnmarshalText([]byte(s.text())); err != nil {
		return Commit{}, false
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{`,"by":`, &c.Actor}, {`,"why":`, &c.Cause}, {`,"tp":`, &c.Trace}} {
		if bytes.HasPrefix(s.rest, []byte(f.name)) {
			s.skip(f.name)
			*f.to = s.text()
		}
	}
	s.skip(`,"ev":[`)
	for !s.failed {
		s.skip(`{"t":`)
		r := Record{Type: s.text()}
		s.skip(`,"v":`)
		r.V = s.number()
		s.skip(`,"d":`)
		r.Data = s.object()
		s.skip(`}`)
		c.Records = append(c.Records, r)
		if !bytes.HasPrefix(s.rest, []byte(",")) {
			break
		}
		s.skip(`,`)
	}
	s.skip(`]}`)
	return c, !s.failed && len(s.rest) == 0
}

// splitter takes one thing after the other from the front. After a failure it takes nothing.
type splitter struct {
	rest   []byte
	failed bool
}

func (s *splitter) take(n int) (taken []byte) {
	taken, s.rest = s.rest[:n], s.rest[n:]
	return taken
}

func (s *splitter) fail() { s.failed, s.rest = true, nil }

func (s *splitter) skip(literal string) {
	if !bytes.HasPrefix(s.rest, []byte(literal)) {
		s.fail()
		return
	}
	s.take(len(literal))
}

// text is a string of visible ASCII without escapes.
func (s *splitter) text() string {
	s.skip(`"`)
	for i, c := range s.rest {
		switch {
		case c == '"':
			return string(s.take(i + 1)[:i])
		case c == '\\' || c < ' ' || c > '~':
			s.fail()
			return ""
		}
	}
	s.fail()
	return ""
}

// number is a whole number of few digits that does not begin with 0.
func (s *splitter) number() int {
	i := 0
	for i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9' {
		i++
	}
	if i == 0 || i > 9 || s.rest[0] == '0' {
		s.fail()
		return 0
	}
	n, err := strconv.Atoi(string(s.take(i)))
	if err != nil {
		s.fail()
	}
	return n
}

// object is a JSON object: up to the brace that closes it outside of strings. A copy.
func (s *splitter) object() json.RawMessage {
	if !bytes.HasPrefix(s.rest, []byte("{")) {
		s.fail()
		return nil
	}
	depth := 0
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return bytes.Clone(s.take(i + 1))
			}
		case '"':
			n := stringLength(s.rest[i:])
			if n == 0 {
				s.fail()
				return nil
			}
			i += n - 1
		}
	}
	s.fail()
	return nil
}

// stringLength is how long the string at the beginning is with its quotes, 0 when it does not end.
func stringLength(b []byte) int {
	for i := 1; i < len(b); {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return 0
		}
		end := i + q
		escapes := 0
		for escapes < end-i && b[end-1-escapes] == '\\' {
			escapes++
		}
		i = end + 1
		if escapes%2 == 0 {
			return i
		}
	}
	return 0
}
