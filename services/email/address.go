package email

import (
	"strings"
	"unicode/utf8"
)

// mailbox is one address of an address field.
type mailbox struct {
	name string // decoded display name
	addr string // addr-spec as written, never decoded from encoded words
	// odd: written in a way that different readers read differently.
	odd bool
}

// parseAddresses reads an address list (RFC 5322 §3.4) in one pass, forgiving
// what is seen in the wild: bare names, missing quotes, semicolons between
// addresses. Comments are skipped. limit bounds the result; beyond it
// ErrAddresses.
//
// The address of an entry is what stands in its last pair of angle brackets,
// else the last bare word with an @. An entry is odd when it has more than one
// candidate, an encoded word in the address, or belongs to a group.
func parseAddresses(s string, limit int) ([]mailbox, error) {
	var out []mailbox
	p := entry{}
	group := false
	emit := func() error {
		if m, ok := p.mailbox(); ok {
			m.odd = m.odd || group
			if len(out) >= limit {
				return ErrAddresses
			}
			out = append(out, m)
		}
		p = entry{}
		return nil
	}
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case '(':
			end, closed := closing(s, i)
			i = end
			p.breakWord()
			p.open = p.open || !closed
		case '"':
			var q string
			q, i = quoted(s, i)
			p.quoted(q, i < len(s) && s[i] == '@')
		case '<':
			end := strings.IndexByte(s[i:], '>')
			next := len(s)
			inner := s[i+1:]
			if end >= 0 {
				inner, next = s[i+1:i+end], i+end+1
			}
			p.angle(inner)
			i = next
		case ',', ';':
			if err := emit(); err != nil {
				return nil, err
			}
			if c == ';' {
				group = false
			}
			i++
		case ':':
			// "name:" opens a group; a colon inside a word with @ is a broken address.
			if p.isName() {
				group = true
				p = entry{}
			} else {
				p.byte(c)
			}
			i++
		case ' ', '\t', '\r', '\n':
			p.breakWord()
			i++
		default:
			p.byte(c)
			i++
		}
	}
	if err := emit(); err != nil {
		return nil, err
	}
	return out, nil
}

// entry gathers one address while it is read.
type entry struct {
	words   []string // of the display name
	word    []byte
	inAddr  bool // the word continues a quoted local part
	angles  []string
	bracket bool
	open    bool // a comment in it does not end
}

func (e *entry) byte(c byte) { e.word = append(e.word, c) }

func (e *entry) breakWord() {
	if len(e.word) > 0 {
		e.words = append(e.words, string(e.word))
		e.word = e.word[:0]
	}
	e.inAddr = false
}

func (e *entry) quoted(q string, local bool) {
	if local { // "quoted local part"@example.org
		e.word = append(e.word, '"')
		e.word = append(e.word, q...)
		e.word = append(e.word, '"')
		return
	}
	e.breakWord()
	e.words = append(e.words, q)
}

func (e *entry) angle(inner string) {
	e.breakWord()
	e.bracket = true
	e.angles = append(e.angles, strings.TrimSpace(inner))
}

func (e *entry) isName() bool {
	return !e.bracket && strings.IndexByte(string(e.word), '@') < 0
}

func (e *entry) mailbox() (mailbox, bool) {
	e.breakWord()
	m := mailbox{odd: e.open}
	if e.bracket {
		m.addr = e.angles[len(e.angles)-1]
		m.odd = m.odd || len(e.angles) > 1
		if i := strings.LastIndexByte(m.addr, ':'); i >= 0 && strings.HasPrefix(m.addr, "@") {
			m.addr, m.odd = m.addr[i+1:], true // source route (obsolete, RFC 5322 §4.4)
		}
		m.name = decodeWords(strings.Join(e.words, " "))
	} else {
		var name []string
		for _, w := range e.words {
			if strings.IndexByte(w, '@') >= 0 && !strings.HasPrefix(w, "=?") {
				m.odd = m.odd || m.addr != ""
				m.addr = w
				continue
			}
			name = append(name, w)
		}
		m.name = decodeWords(strings.Join(name, " "))
	}
	if strings.Contains(m.addr, "=?") || strings.ContainsAny(m.addr, " \t") {
		m.odd = true
	}
	if strings.ContainsAny(m.addr, "＠﹫") || strings.ContainsFunc(m.addr, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		m.odd = true
	}
	m.addr = strings.TrimRight(toLine(toUTF8([]byte(m.addr), "")), ".")
	if at := strings.LastIndexByte(m.addr, '@'); at <= 0 || at == len(m.addr)-1 || len(m.addr) > 320 || !utf8.ValidString(m.addr) {
		if m.addr == "" && m.name == "" {
			return m, false
		}
		m.odd = true
	} else if strings.Count(m.addr, "@") > 1 && (!strings.HasPrefix(m.addr, `"`) || strings.LastIndexByte(m.addr, '"') != at-1) {
		m.odd = true
	}
	m.name = clip(m.name, 300)
	return m, m.addr != "" || m.name != ""
}

// valid says whether the address can be one: local part, @, domain.
func (m mailbox) valid() bool {
	at := strings.LastIndexByte(m.addr, '@')
	return at > 0 && at < len(m.addr)-1 && len(m.addr) <= 320 && !strings.ContainsAny(m.addr, " \t<>,;\x00")
}

// closing returns the index after the comment at i, and whether it ends at
// all. Nesting is counted, not recursed into.
func closing(s string, i int) (int, bool) {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(s), false
}

// quoted reads the quoted string at i; without an end the quote is a character of no meaning.
func quoted(s string, i int) (string, int) {
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch s[j] {
		case '\\':
			if j+1 < len(s) {
				j++
				b.WriteByte(s[j])
			}
		case '"':
			return b.String(), j + 1
		default:
			b.WriteByte(s[j])
		}
	}
	return "", i + 1
}
