package schema

import "encoding/json"

// scanner walks the members of one JSON object. Its input must be valid JSON:
// then brackets and quotes are all there is to look at.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\r' || s.b[s.i] == '\t') {
		s.i++
	}
}

func (s *scanner) open() bool {
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != '{' {
		return false
	}
	s.i++
	return true
}

// next returns a member's name, unescaped, and its raw value.
func (s *scanner) next() (key, val []byte, ok bool) {
	s.space()
	if s.b[s.i] == ',' {
		s.i++
		s.space()
	}
	if s.b[s.i] == '}' {
		return nil, nil, false
	}
	start := s.i
	escaped := s.str()
	key = s.b[start+1 : s.i-1]
	if escaped {
		var k string
		if json.Unmarshal(s.b[start:s.i], &k) == nil {
			key = []byte(k)
		}
	}
	s.space()
	s.i++ // the colon
	s.space()
	start = s.i
	s.value()
	return key, s.b[start:s.i], true
}

// str passes over a string and says whether it has escapes.
func (s *scanner) str() (escaped bool) {
	for s.i++; s.b[s.i] != '"'; s.i++ {
		if s.b[s.i] == '\\' {
			escaped = true
			s.i++
		}
	}
	s.i++
	return escaped
}

func (s *scanner) value() {
	depth := 0
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '"':
			s.str()
			s.i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // end of the object around a number or literal
			}
			depth--
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			s.i++
			return
		}
	}
}
